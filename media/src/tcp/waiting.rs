//! What waits to be written to a client over TCP: no more than it is worth.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::limits;

/// Whole messages, and what is left of one that is being written.
#[derive(Default)]
pub(crate) struct Waiting(BytesMut);

impl Waiting {
    /// Puts a message, in parts, behind the others; false when too much waits.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> bool {
        if self.0.len() + parts.iter().map(|part| part.len()).sum::<usize>() > limits::TCP_WAITING_BYTES {
            return false;
        }
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes some. Nothing is lost, and nothing is written twice, when it is no longer waited for.
    ///
    /// # Errors
    /// When the connection is over.
    pub(crate) async fn write(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let written = to.write(&self.0).await?;
        self.0.advance(written);
        Ok(())
    }
}
