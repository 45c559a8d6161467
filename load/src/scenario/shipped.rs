//! The scenarios that come with the harness.

/// A scenario in the binary.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),+) => {
        [$(Shipped { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),+]
    };
}

/// Every scenario that comes with the harness.
pub const SHIPPED: [Shipped; 7] = shipped!["hd", "stage25", "webinar", "voices", "join-storm", "churn", "talk"];
