//! What viewers have in common: most come with the same browser, and receive every slot with the same payload types
//! and header extensions. Packets are made ready once for all of them.

use slab::Slab;

use crate::ids::Slot;
use crate::sdp::{Receiving, Session};
use crate::view::View;

/// A profile some peer of this worker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProfileId(usize);

impl ProfileId {
    /// A small number, used again when nobody has the profile any more.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

#[derive(Debug)]
struct Profile {
    receiving: Box<[Option<Receiving>]>,
    follows: bool,
    users: usize,
}

/// The profiles of a worker's peers.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    known: Slab<Profile>,
}

impl Profiles {
    /// The profile of a peer with this session.
    pub(crate) fn enter(&mut self, session: &Session) -> ProfileId {
        let (receiving, follows) = (session.receives(), session.follows);
        let is_same = |profile: &Profile| profile.follows == follows && *profile.receiving == *receiving;
        let found = self.known.iter_mut().find(|(_, profile)| is_same(profile));
        if let Some((id, profile)) = found {
            profile.users += 1;
            return ProfileId(id);
        }
        ProfileId(self.known.insert(Profile { receiving: receiving.into(), follows, users: 1 }))
    }

    /// A peer with this profile is gone.
    pub(crate) fn leave(&mut self, id: ProfileId) {
        let profile = &mut self.known[id.0];
        profile.users -= 1;
        if profile.users == 0 {
            self.known.remove(id.0);
        }
    }

    /// In which slot's section peers with this profile receive `slot`, and how, while the room shows `view`.
    pub(crate) fn receiving(&self, id: ProfileId, slot: Slot, view: View) -> Option<(Slot, &Receiving)> {
        let profile = &self.known[id.0];
        let section = if profile.follows { view.section(slot)? } else { slot };
        Some((section, profile.receiving[section.index()].as_ref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::dtls::Fingerprint;
    use crate::limits::SLOTS;
    use crate::sdp::Format;

    fn received_as(payload_type: u8) -> Receiving {
        let format = Format { codec: Some(Codec::Vp8), payload_type, rtx_payload_type: None, red_payload_type: None };
        Receiving { formats: [format].into_iter().collect(), ..Receiving::default() }
    }

    #[test]
    fn peers_that_receive_alike_share_a_profile_and_the_last_one_takes_it_along() {
        let mut profiles = Profiles::default();
        let with = |payload_type| {
            let mut session = Session::new(Fingerprint([0; 32]), SLOTS);
            Slot::all().for_each(|slot| session.set_receiving(slot, received_as(payload_type)));
            session
        };
        let payload_type = |profiles: &Profiles, id| {
            let (section, receiving) = profiles.receiving(id, Slot::SCREEN, View::FIRST).unwrap();
            assert_eq!(section, Slot::SCREEN);
            receiving.formats[0].payload_type
        };
        let (chrome, firefox) = (profiles.enter(&with(96)), profiles.enter(&with(120)));
        assert_eq!(profiles.enter(&with(96)), chrome);
        assert_ne!(chrome, firefox);
        assert_eq!(payload_type(&profiles, firefox), 120);
        profiles.leave(chrome);
        assert_eq!(payload_type(&profiles, chrome), 96);
        profiles.leave(chrome);
        profiles.leave(firefox);
        assert!(profiles.known.is_empty());
    }

    #[test]
    fn who_follows_receives_what_is_shown_in_the_first_sections() {
        let mut session = Session::new(Fingerprint([0; 32]), SLOTS);
        session.set_receiving(Slot::FIRST_CAMERA, received_as(96));
        let mut profiles = Profiles::default();
        let stays = profiles.enter(&session);
        session.follows = true;
        let follows = profiles.enter(&session);
        assert_ne!(stays, follows);
        let shown = Slot::camera(7).unwrap();
        let view = View { camera: shown, ..View::FIRST };
        let section = |id, slot| profiles.receiving(id, slot, view).map(|(section, _)| section);
        assert_eq!(section(follows, shown), Some(Slot::FIRST_CAMERA));
        assert_eq!(section(follows, Slot::FIRST_CAMERA), None);
        assert_eq!(section(stays, shown), None);
        assert_eq!(section(stays, Slot::FIRST_CAMERA), Some(Slot::FIRST_CAMERA));
    }
}
