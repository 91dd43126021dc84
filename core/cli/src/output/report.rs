//! What is known of an account.

use std::io;

use eft::Report;
use serde_json::{Map, Value, json};

use super::Output;

impl Output {
    /// A report: its text, or what is wrong and what is known by name.
    pub(crate) fn report(self, report: &Report) -> io::Result<()> {
        if !self.json {
            return self.line(report.to_string().trim_end());
        }
        let problems: Vec<Value> = report
            .problems()
            .iter()
            .map(|problem| {
                json!({
                    "area": problem.area().name(),
                    "code": problem.code(),
                    "text": problem.to_string(),
                })
            })
            .collect();
        let mut known = Map::new();
        for fact in report.facts() {
            let area = known.entry(fact.area.name()).or_insert_with(|| json!({}));
            if let Value::Object(area) = area {
                area.insert(fact.name.to_owned(), fact.value.into());
            }
        }
        self.object(&json!({
            "event": "report",
            "account": report.account,
            "problems": problems,
            "known": known,
        }))
    }
}
