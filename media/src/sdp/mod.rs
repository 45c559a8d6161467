//! Offer in, answer out. A session is negotiated once: the client offers, the server answers from a template.

mod answer;
mod offer;
mod session;

pub use answer::{AnswerParams, Candidates, answer};
pub use offer::{Offer, SdpError};
pub(crate) use session::Carries;
pub use session::{Extensions, Format, Receiving, Sending, Session};
