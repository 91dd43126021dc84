//! Events on their way to the client: bounded in number and in memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::event::Event;
use crate::limits::{EVENT_QUEUE, EVENT_QUEUE_BYTES};

/// The reader's end.
#[derive(Clone)]
pub(super) struct EventSender {
    events: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
}

/// The client's end.
#[derive(Debug)]
pub(super) struct EventReceiver(mpsc::Receiver<Queued>);

#[derive(Debug)]
struct Queued {
    event: Event,
    /// Given back when the client takes the event.
    _room: Option<OwnedSemaphorePermit>,
}

pub(super) fn event_queue() -> (EventSender, EventReceiver) {
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    let room = Arc::new(Semaphore::new(EVENT_QUEUE_BYTES));
    (EventSender { events, room }, EventReceiver(receiver))
}

impl EventSender {
    /// Waits for room. If nobody listens any more, the connection was dropped, and the task that calls this is being
    /// aborted.
    pub(super) async fn send(&self, event: Event, memory_bytes: usize) {
        let bytes = u32::try_from(memory_bytes.min(EVENT_QUEUE_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
        let _room = room.ok().filter(|_| bytes > 0);
        let _ = self.events.send(Queued { event, _room }).await;
    }

    /// Without waiting: for the first event of all.
    pub(super) fn try_send(&self, event: Event) {
        let _ = self.events.try_send(Queued { event, _room: None });
    }
}

impl EventReceiver {
    /// `None` when all senders are gone.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.0.recv().await.map(|queued| queued.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::Acked { tokens: vec![] }
    }

    async fn is_stuck(sender: &EventSender, memory_bytes: usize) -> bool {
        let sending = sender.send(event(), memory_bytes);
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), sending).await;
        waited.is_err()
    }

    #[tokio::test]
    async fn large_events_wait_for_small_ones_and_never_for_ever() {
        let (sender, mut receiver) = event_queue();
        assert!(!is_stuck(&sender, 1000).await);
        assert!(
            is_stuck(&sender, 100 * EVENT_QUEUE_BYTES).await,
            "too much for now"
        );
        assert!(receiver.next().await.is_some());
        assert!(
            !is_stuck(&sender, 100 * EVENT_QUEUE_BYTES).await,
            "alone, it may pass"
        );
        assert!(is_stuck(&sender, 1).await);
        assert!(receiver.next().await.is_some());
        for _ in 0..EVENT_QUEUE {
            assert!(!is_stuck(&sender, EVENT_QUEUE_BYTES / EVENT_QUEUE).await);
        }
        assert!(is_stuck(&sender, 0).await, "the number is bounded, too");
    }
}
