//! How pushes stand.

use eft_xmpp::xep::datetime;

use super::fact::{Fact, ReportArea};
use crate::push::PushHealth;

/// How pushes stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushReport {
    /// How the registration stands; `None` if there is none. A reason is redacted.
    pub health: Option<PushHealth>,
    /// The app's own server, shortened.
    pub service: Option<String>,
}

impl PushReport {
    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Push;
        let health = match &self.health {
            None => "not registered".to_owned(),
            Some(PushHealth::Waiting) => "the server is asked at the next connection".to_owned(),
            Some(PushHealth::Unsupported) => "the server does not push".to_owned(),
            Some(PushHealth::Registered { at }) => {
                format!(
                    "registered at {}, no push has come yet",
                    datetime::format(*at)
                )
            }
            Some(PushHealth::Proven { at }) => format!("a push came at {}", datetime::format(*at)),
            Some(PushHealth::Stale) => "messages came without a push".to_owned(),
            Some(PushHealth::Rejected { reason }) => format!("refused by the server: {reason}"),
        };
        let mut facts = vec![area.fact("health", health)];
        if let Some(service) = &self.service {
            facts.push(area.fact("app server", service.as_str()));
        }
        facts
    }
}
