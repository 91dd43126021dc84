//! Figures with their names: a table on the terminal, and one file for all programs.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Map, Number, Value};

/// Why figures could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The file could not be read or written.
    #[error("figures.json: {0}")]
    Io(#[from] io::Error),
    /// The file that is there is no flat object.
    #[error("figures.json is no object of figures: {0}")]
    Json(#[from] serde_json::Error),
    /// Not a number that JSON has.
    #[error("{name} is not finite")]
    NotFinite {
        /// Name of the figure.
        name: String,
    },
}

/// What one program measured.
#[derive(Debug, Default)]
pub struct Figures {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    value: f64,
    /// The most that it should be, where somebody said so.
    wanted: Option<f64>,
    note: String,
}

impl Figures {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a figure with what it should be at most, and what it is made of.
    pub fn add(&mut self, name: &'static str, value: f64, wanted: Option<f64>, note: String) {
        self.rows.push(Row {
            name,
            value,
            wanted,
            note,
        });
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = format!("{:<32}{:>12}{:>10}\n", "figure", "measured", "wanted");
        for row in &self.rows {
            let wanted = match row.wanted {
                Some(most) if row.value > most => format!("> {most}"),
                Some(most) => format!("<= {most}"),
                None => String::new(),
            };
            let Row {
                name, value, note, ..
            } = row;
            table += &format!("{name:<32}{value:>12.3}{wanted:>10}  {note}\n");
        }
        table
    }

    /// Merges the figures into `target/figures.json`: those of this program are replaced, others stay.
    ///
    /// # Errors
    /// [`FiguresError`]; the file is then as it was.
    pub fn write(&self) -> Result<PathBuf, FiguresError> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
        fs::create_dir_all(&folder)?;
        let path = folder.join("figures.json");
        let mut all: Map<String, Value> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(error.into()),
        };
        for row in &self.rows {
            // Four digits say all that a measurement knows.
            let rounded = (row.value * 10_000.0).round() / 10_000.0;
            let number = Number::from_f64(rounded).ok_or_else(|| FiguresError::NotFinite {
                name: row.name.into(),
            })?;
            all.insert(row.name.into(), Value::Number(number));
        }
        let unfinished = folder.join("figures.json.new");
        fs::write(&unfinished, serde_json::to_vec_pretty(&all)?)?;
        fs::rename(&unfinished, &path)?;
        Ok(path)
    }
}
