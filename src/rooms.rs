//! The rooms of this server.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dais_media::{MediaPlane, RoomId};
use dais_signaling::protocol::RoomInfo;
use dais_signaling::{Directory, RoomHandle, RoomMessage, limits};
use dais_stage::Settings;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::metrics::Metrics;
use crate::room::Room;

/// Rooms by their id in addresses.
pub(crate) struct Rooms {
    rooms: RwLock<HashMap<String, (RoomHandle, JoinHandle<()>)>>,
    media: Arc<MediaPlane>,
    metrics: Arc<Metrics>,
}

impl Rooms {
    pub(crate) fn new(media: Arc<MediaPlane>, metrics: Arc<Metrics>) -> Self {
        Self { rooms: RwLock::default(), media, metrics }
    }

    /// Opens a room, unless there is one with this id.
    pub(crate) fn open(&self, id: &str, title: &str, settings: Settings) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        if rooms.contains_key(id) {
            return;
        }
        let number = RoomId(u32::try_from(rooms.len()).unwrap_or(u32::MAX));
        let (messages, receiver) = mpsc::channel(limits::ROOM_MESSAGES);
        let room = Room::new(number, settings, Arc::clone(&self.media), Arc::clone(&self.metrics));
        let task = tokio::spawn(room.run(receiver));
        let info = RoomInfo { id: id.to_owned(), title: title.to_owned() };
        rooms.insert(id.to_owned(), (RoomHandle { info, messages }, task));
        self.metrics.set_rooms(rooms.len());
    }

    /// Ends all rooms and waits until their sessions have been told.
    pub(crate) async fn close_all(&self) {
        let rooms = std::mem::take(&mut *self.rooms.write().unwrap_or_else(PoisonError::into_inner));
        for (handle, task) in rooms.into_values() {
            let _ = handle.messages.send(RoomMessage::End).await;
            let _ = task.await;
        }
    }
}

impl Directory for Rooms {
    fn find(&self, room: &str) -> Option<RoomHandle> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.get(room).map(|(handle, _)| handle.clone())
    }

    fn count_refusal(&self, code: &'static str) {
        self.metrics.count_refusal(code);
    }
}
