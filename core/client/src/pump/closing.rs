//! The end of an account's queue of commands: everybody who asked gets an answer.

use tokio::sync::mpsc::UnboundedReceiver;

use crate::command::{Command, Reply};
use crate::error::Error;

/// Refuses the commands that nobody will carry out, and takes no more. Answers with those who wait for the account to be
/// closed, too.
///
/// Only to let go of the queue would not be enough: a command that is just being put in stays there then, with the sender
/// of its answer in it, for as long as there is a handle, and whoever sent it has one and waits for ever. Here it is waited
/// for.
///
/// It comes last, when the database is closed: who finds the queue closed takes the account for closed.
pub(super) async fn close(mut commands: UnboundedReceiver<Command>) -> Vec<Reply<()>> {
    commands.close();
    let mut closing = Vec::new();
    while let Some(command) = commands.recv().await {
        match command {
            Command::Close { reply } => closing.push(reply),
            command => command.refuse(Error::Suspended),
        }
    }
    closing
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    const ASKERS: usize = 3;

    #[test]
    fn whoever_asks_while_the_queue_is_closed_gets_an_answer() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for _ in 0..3000 {
            let (sender, commands) = mpsc::unbounded_channel();
            let start = Arc::new(Barrier::new(ASKERS + 1));
            let askers: Vec<_> = (0..ASKERS)
                .map(|_| {
                    let (sender, start) = (sender.clone(), Arc::clone(&start));
                    thread::spawn(move || {
                        start.wait();
                        let (reply, answer) = oneshot::channel();
                        let sent = sender.send(Command::Disconnect { reply }).is_ok();
                        // The handle stays, as it does with somebody who waits.
                        (sent, answer, sender)
                    })
                })
                .collect();
            start.wait();
            let closing = runtime.block_on(close(commands));
            assert!(closing.is_empty());
            let answers: Vec<_> = askers
                .into_iter()
                .map(|asker| asker.join().unwrap())
                .collect();
            for (sent, mut answer, _sender) in answers {
                let answer = answer.try_recv();
                match sent {
                    true => assert!(matches!(answer, Ok(Err(Error::Suspended))), "{answer:?}"),
                    false => assert_eq!(answer.unwrap_err(), oneshot::error::TryRecvError::Closed),
                }
            }
        }
    }

    #[tokio::test]
    async fn two_who_close_an_account_are_both_told_when_it_is_closed() {
        let (sender, commands) = mpsc::unbounded_channel();
        let (reply, mut answer) = oneshot::channel();
        assert!(sender.send(Command::Close { reply }).is_ok());
        let closing = close(commands).await;
        assert_eq!(closing.len(), 1);
        assert_eq!(
            answer.try_recv().unwrap_err(),
            oneshot::error::TryRecvError::Empty
        );
    }
}
