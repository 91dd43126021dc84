//! Signals to our own children, and the unprivileged user that servers run as.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::deadline::Deadline;

/// Debian's user and group `nobody`/`nogroup`.
const NOBODY: u32 = 65534;

/// A signal this crate sends. Only to children that were not waited for yet: their process id is still theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Terminate,
    Stop,
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Sends `signal` to the process `pid`.
///
/// By the shell's own `kill`: the standard library can only SIGKILL, a system call would need `unsafe`, and a
/// minimal Debian has no `kill` program.
pub(crate) fn send_signal(pid: u32, signal: Signal) -> io::Result<()> {
    let status = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\"",
            "sh",
            signal.name(),
            &pid.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Ends a child: SIGTERM, then SIGKILL after `patience`. Always reaps it.
pub(crate) fn end_child(child: &mut Child, patience: Duration) -> io::Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    // A stopped process handles SIGTERM only once it runs again.
    let asked = send_signal(child.id(), Signal::Continue)
        .and_then(|()| send_signal(child.id(), Signal::Terminate));
    let deadline = Deadline::after(if asked.is_ok() {
        patience
    } else {
        Duration::ZERO
    });
    while !deadline.is_over() {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait().map(drop)
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    // The owner of one's own /proc entry is the effective user, without a system call of our own.
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// Hands a folder and all in it to `nobody`.
pub(crate) fn give_away(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give_away(&entry?.path())?;
        }
    }
    chown(path, Some(NOBODY), Some(NOBODY))
}

/// A command line that runs `program` as an unprivileged user when we are root, and as ourselves otherwise.
///
/// With `dies_with_us`, the kernel kills the child when the thread that started it ends: a test run that is
/// killed leaves no server behind. (The thread of a test, the main thread and the workers of a runtime live long
/// enough.)
pub(crate) fn unprivileged(program: &Path, home: &Path, dies_with_us: bool) -> Command {
    let mut command = Command::new("setpriv");
    if dies_with_us {
        command.args(["--pdeathsig", "KILL"]);
    }
    if is_root() {
        command.args([
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
        ]);
    }
    command
        .arg("--")
        .arg(program)
        .env("HOME", home)
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    #[test]
    fn child_ends_on_terminate() {
        let mut child = sleeper();
        let started = Deadline::after(Duration::from_secs(10));
        end_child(&mut child, Duration::from_secs(10)).unwrap();
        assert!(!started.is_over());
        assert!(child.try_wait().unwrap().is_some());
    }

    #[test]
    fn child_that_ignores_terminate_is_killed() {
        let mut child = Command::new("sh")
            .args([
                "-c",
                "trap '' TERM; echo ready; while :; do sleep 0.05; done",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        io::BufRead::read_line(
            &mut io::BufReader::new(child.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        assert_eq!(line, "ready\n");
        end_child(&mut child, Duration::from_millis(100)).unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()),
            Some(9)
        );
    }

    #[test]
    fn stopped_child_still_ends() {
        let mut child = sleeper();
        send_signal(child.id(), Signal::Stop).unwrap();
        end_child(&mut child, Duration::from_secs(10)).unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()),
            Some(15)
        );
    }

    #[test]
    fn child_dies_with_the_thread_that_started_it() {
        let start = || {
            let child = unprivileged(Path::new("sleep"), Path::new("/"), true)
                .arg("60")
                .spawn()
                .unwrap();
            // The promise holds once setpriv has made way for the program.
            let name = format!("/proc/{}/comm", child.id());
            while fs::read_to_string(&name).unwrap() != "sleep\n" {
                std::thread::sleep(Duration::from_millis(1));
            }
            child
        };
        let mut child = std::thread::spawn(start).join().unwrap();
        let deadline = Deadline::after(Duration::from_secs(10));
        while child.try_wait().unwrap().is_none() && !deadline.is_over() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = child.try_wait().unwrap();
        // Not before the assertion: a child that lived on has to go.
        child.kill().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status.unwrap()),
            Some(9)
        );
    }
}
