//! What the store promises, through its public interface.

mod atomic;
mod conversations;
mod dedupe;
mod flood;
mod foreign;
mod hygiene;
mod kill;
mod opening;
mod order;
mod outbox;
mod support;
mod updates;
