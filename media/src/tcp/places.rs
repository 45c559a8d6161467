//! How many connections there are, in all and from where.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::counters::{TcpEnd, TurnRefusal};
use crate::limits;

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// For anybody.
    All,
    /// For this source.
    Source,
}

impl From<Full> for TcpEnd {
    fn from(full: Full) -> Self {
        match full {
            Full::All => Self::TooMany,
            Full::Source => Self::TooManyFromSource,
        }
    }
}

impl From<Full> for TurnRefusal {
    fn from(full: Full) -> Self {
        match full {
            Full::All => Self::TooMany,
            Full::Source => Self::TooManyFromSource,
        }
    }
}

/// Connections by source.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// One connection's place, free again when it is dropped.
pub(crate) struct Place {
    places: Places,
    source: IpAddr,
}

impl Places {
    /// # Errors
    /// When there are too many connections.
    pub(crate) fn take(&self, from: IpAddr) -> Result<Place, Full> {
        let source = source(from);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= limits::TCP_CONNECTIONS {
            return Err(Full::All);
        }
        let from_source = taken.by_source.entry(source).or_default();
        // From this machine comes its own proxy, for everybody.
        if *from_source >= limits::TCP_CONNECTIONS_PER_SOURCE && !source.is_loopback() {
            return Err(Full::Source);
        }
        *from_source += 1;
        taken.all += 1;
        Ok(Place { places: self.clone(), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(from_source) = taken.by_source.get_mut(&self.source) {
            *from_source -= 1;
            if *from_source == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

/// Whom an address counts for: with IPv6 its network of 64 bits, which is what one household or machine is given
/// (RFC 6177).
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_places_and_gets_them_back() {
        let places = Places::default();
        let from = "192.0.2.1".parse().unwrap();
        let mut taken: Vec<_> =
            (0..limits::TCP_CONNECTIONS_PER_SOURCE).map(|_| places.take(from).ok().unwrap()).collect();
        assert_eq!(places.take(from).err(), Some(Full::Source));
        assert!(places.take("192.0.2.2".parse().unwrap()).is_ok(), "others have theirs");
        taken.pop();
        assert!(places.take(from).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let of = |address: &str| source(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn nobody_comes_in_when_all_places_are_taken() {
        let places = Places::default();
        let source = |n: usize| IpAddr::from([10, 0, (n / 256) as u8, (n % 256) as u8]);
        let taken: Vec<_> = (0..limits::TCP_CONNECTIONS).map(|n| places.take(source(n)).ok().unwrap()).collect();
        assert_eq!(places.take(source(taken.len())).err(), Some(Full::All));
        drop(taken);
        assert!(places.take(source(0)).is_ok());
    }
}
