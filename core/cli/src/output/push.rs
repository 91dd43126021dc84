//! How pushes stand.

use std::io;

use eft::{PushHealth, PushLeg, PushObstacle, PushTest};
use serde_json::json;

use super::Output;
use super::text::{clock, printable};

impl Output {
    /// How the registration stands.
    pub(crate) fn push_health(self, health: Option<&PushHealth>) -> io::Result<()> {
        let (name, at, text) = match health {
            None => ("not-registered", None, "pushes: not registered".to_owned()),
            Some(PushHealth::Waiting) => (
                "waiting",
                None,
                "pushes: the server is asked at the next connection".to_owned(),
            ),
            Some(PushHealth::Unsupported) => {
                ("unsupported", None, "pushes: not on this server".to_owned())
            }
            Some(PushHealth::Registered { at }) => (
                "registered",
                Some(at),
                format!("pushes: registered at {}, none has come yet", clock(*at)),
            ),
            Some(PushHealth::Proven { at }) => (
                "proven",
                Some(at),
                format!("pushes: one came at {}", clock(*at)),
            ),
            Some(PushHealth::Stale) => (
                "stale",
                None,
                "pushes: messages came without one; register anew".to_owned(),
            ),
            Some(PushHealth::Rejected { reason }) => (
                "rejected",
                None,
                format!("pushes: refused by the server: {}", printable(reason)),
            ),
        };
        if self.json {
            let at_ms = at.map(|at| at.as_millis());
            return self.object(&json!({"event": "push-health", "health": name, "at_ms": at_ms}));
        }
        self.line(&text)
    }

    /// What a self-test came to.
    pub(crate) fn push_test(self, result: &PushTest) -> io::Result<()> {
        let (name, detail, text) = match result {
            PushTest::Arrived { after } => (
                "arrived",
                None,
                format!("a push came after {:.1} seconds", after.as_secs_f32()),
            ),
            PushTest::Missed { leg } => {
                let (leg, text) = lost(leg);
                ("missed", Some(leg), format!("no push came: {text}"))
            }
            PushTest::NotPossible { obstacle } => {
                let (obstacle, text) = prevented(obstacle);
                ("not-possible", Some(obstacle), format!("no test: {text}"))
            }
            _ => ("other", None, "the test came to something new".to_owned()),
        };
        if self.json {
            let object = json!({"event": "push-test", "result": name, "detail": detail});
            return self.object(&object);
        }
        self.line(&text)
    }
}

fn lost(leg: &PushLeg) -> (&'static str, String) {
    match leg {
        PushLeg::Server => (
            "server",
            "the server did not bring a message back".to_owned(),
        ),
        PushLeg::ServerToAppServer { reason } => (
            "server-to-app-server",
            format!(
                "the server does not reach the app server ({})",
                printable(reason)
            ),
        ),
        PushLeg::AppServerToPhone => (
            "app-server-to-phone",
            "it was lost behind the server: an old token, perhaps".to_owned(),
        ),
        _ => ("other", "it is not known where it was lost".to_owned()),
    }
}

fn prevented(obstacle: &PushObstacle) -> (&'static str, String) {
    match obstacle {
        PushObstacle::NotRegistered => ("not-registered", "register first".to_owned()),
        PushObstacle::Refused { reason } => (
            "refused",
            format!("the server does not push ({})", printable(reason)),
        ),
        PushObstacle::NoResumption => (
            "no-resumption",
            "the server does not keep the stream of a device that is gone".to_owned(),
        ),
        _ => ("other", "it is not known why".to_owned()),
    }
}
