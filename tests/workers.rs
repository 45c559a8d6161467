//! One room over two workers: everybody sees the same, and a worker that stands still harms only its own viewers.

mod support;

use std::time::Duration;

use dais_media::rtcp::Message;
use dais_stage::Role;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use support::client::{Session, Wish};
use support::media::pause;
use support::offer::attribute;
use support::process::{Folder, Process, demo_token};
use support::{Client, PATIENCE, server};
use tokio::time::timeout;

/// The worker a client lives on: its user fragment names it.
fn worker(client: &Client) -> u8 {
    attribute(&client.answer, "ice-ufrag").as_bytes()[0] - b'A'
}

#[tokio::test]
async fn viewers_on_both_workers_see_the_same() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut viewers = Vec::new();
    for n in 0..6 {
        viewers.push(Client::enter(&server, &format!("Viewer {n}"), Wish::VIEWER).await);
    }
    let on = |n| viewers.iter().filter(|viewer| worker(viewer) == n).count();
    assert!(on(0) >= 2 && on(1) >= 2, "{} and {}", on(0), on(1));
    // Not one after the other: a key frame that everybody waits for comes first.
    ann.show(true, b"key").await;
    for viewer in &mut viewers {
        viewer.packet("the key frame", |packet| packet.slot.kind().is_video()).await;
    }
    for n in 0..100u8 {
        ann.show(false, &[n; 900]).await;
        ann.speak(20, &[n; 60]).await;
        pause(1).await;
    }
    let mut all = Vec::new();
    for viewer in &mut viewers {
        let mut seen = viewer.drain().await;
        assert_eq!(seen.len(), 200, "nothing is lost on the way between workers");
        seen.sort_by_key(|packet| (packet.slot, packet.timestamp, packet.seq));
        all.push(seen.into_iter().map(|packet| (packet.slot, packet.csrc, packet.payload)).collect::<Vec<_>>());
    }
    assert!(all.iter().all(|seen| *seen == all[0]), "everybody gets the same pictures and words");
}

/// Stops one thread of another process, until it is dropped.
struct Stopped {
    go_on: Option<std::sync::mpsc::Sender<()>>,
    tracer: Option<std::thread::JoinHandle<()>>,
}

impl Stopped {
    fn thread(process: u32, name: &str) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
        let named =
            |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let task =
            tasks.map(|task| task.expect("a task").path()).find(|task| named(task)).expect("there is this thread");
        let id = Pid::from_raw(task.file_name().and_then(|id| id.to_str()?.parse().ok()).expect("a number"));
        let (stopped, is_stopped) = std::sync::mpsc::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
        // Only the thread that traces may let it go.
        let tracer = std::thread::spawn(move || {
            ptrace::seize(id, ptrace::Options::empty()).expect("a child may be traced");
            ptrace::interrupt(id).expect("it is traced");
            waitpid(id, Some(WaitPidFlag::__WALL)).expect("it stops");
            stopped.send(()).expect("the test waits");
            let _ = goes_on.recv();
            ptrace::detach(id, None).expect("it goes on");
        });
        is_stopped.recv().expect("it stops");
        Self { go_on: Some(go_on), tracer: Some(tracer) }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(self.go_on.take());
        let _ = self.tracer.take().map(std::thread::JoinHandle::join);
    }
}

#[tokio::test]
async fn a_worker_that_stands_still_harms_only_its_own_viewers() {
    let folder = Folder::new("workers");
    let server = Process::start(&folder.0, &["--workers", "2"]);
    let enter = async |name: &str, wish: Wish| {
        let session = Session::connect(&server.address, "demo").await;
        Client::enter_session(session, &demo_token(Role::Participant, name), wish).await
    };
    let mut ann = enter("Ann", Wish { mic: false, ..Wish::STAGE }).await;
    let (mut near, mut far) = (None, None);
    for n in 0..4 {
        let viewer = enter(&format!("Viewer {n}"), Wish::VIEWER).await;
        let place = if worker(&viewer) == worker(&ann) { &mut near } else { &mut far };
        *place = Some(viewer);
    }
    let (mut near, mut far) = (near.expect("somebody is near"), far.expect("somebody is far"));
    ann.show(true, b"key").await;
    for viewer in [&mut near, &mut far] {
        viewer.packet("the key frame", |_| true).await;
    }

    let stopped = Stopped::thread(server.id(), &format!("dais-media-{}", worker(&far)));
    while ann.incoming.reports.try_recv().is_ok() {}
    // More than the ring between the workers holds.
    let frames = 2_000u32;
    for n in 0..frames {
        ann.show(false, &[n.to_be_bytes().as_slice(), &[7; 200]].concat()).await;
        if n % 10 == 9 {
            pause(2).await;
        }
    }
    for n in 0..frames {
        let packet = near.packet("the next frame", |_| true).await;
        assert_eq!(packet.payload[7..11], n.to_be_bytes(), "the near viewer misses nothing");
    }
    assert_eq!(far.drain().await.len(), 0, "the far one gets nothing");

    drop(stopped);
    let wanted = async { while !matches!(ann.incoming.reports.recv().await, Some(Message::KeyFrameRequest { .. })) {} };
    timeout(PATIENCE, wanted).await.expect("a key frame is asked for after the gap");
    pause(20).await;
    ann.show(true, b"after the gap").await;
    let key = far.packet("the key frame after the gap", |packet| packet.payload.ends_with(b"after the gap")).await;
    assert_eq!(key.csrc, ann.you);
    timeout(Duration::from_secs(20), near.packet("it too", |packet| packet.payload.ends_with(b"after the gap")))
        .await
        .expect("the near viewer has it too");
}
