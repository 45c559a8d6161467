//! What a client that follows is shown.

use crate::ids::{MediaKind, Slot};

/// The slots that a room shows to clients that follow: players with one picture and one voice. They receive both in
/// the sections of the first camera and the first voice slot, whichever slots are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// A camera slot: that of whoever speaks most, who comes first also for clients with many pictures.
    pub camera: Slot,
    /// The screen is shown in place of the camera.
    pub screen: bool,
    /// A voice slot.
    pub voice: Slot,
}

impl View {
    /// The first slots, until the control plane says more.
    pub const FIRST: Self = Self { camera: Slot::FIRST_CAMERA, screen: false, voice: Slot::FIRST_VOICE };

    /// The slot in whose section `slot` is received; none when it is not shown.
    pub(crate) fn section(self, slot: Slot) -> Option<Slot> {
        if slot == self.picture() {
            Some(Slot::FIRST_CAMERA)
        } else {
            (slot == self.voice).then_some(Slot::FIRST_VOICE)
        }
    }

    fn picture(self) -> Slot {
        if self.screen { Slot::SCREEN } else { self.camera }
    }

    /// The slot that is received in the section of `section`.
    pub(crate) fn shown(self, section: Slot) -> Slot {
        match section.kind() {
            MediaKind::Camera => self.picture(),
            MediaKind::Mic => self.voice,
            MediaKind::Screen | MediaKind::ScreenAudio => section,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_received_in_the_first_sections_and_nothing_else_is() {
        let (camera, voice) = (Slot::camera(7).unwrap(), Slot::voice(3).unwrap());
        for (screen, picture) in [(false, camera), (true, Slot::SCREEN)] {
            let view = View { camera, screen, voice };
            for slot in Slot::all() {
                let section = view.section(slot);
                assert_eq!(section.is_some(), slot == picture || slot == voice);
                assert!(section.is_none_or(|section| view.shown(section) == slot));
            }
        }
        assert_eq!(View::FIRST.section(Slot::camera(0).unwrap()), Slot::camera(0));
        assert_eq!(View::FIRST.section(Slot::voice(0).unwrap()), Slot::voice(0));
    }
}
