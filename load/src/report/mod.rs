//! What a run found, for people and programs: a table for the terminal, a JSON file, a page with plots.

mod charts;
pub mod format;
mod html;
mod json;
mod plot;
mod scale;
mod table;
mod verdict;
mod watched;

use std::fs;
use std::path::Path;

pub use html::html;
pub use json::{ReportError, read_json, write_json};
pub use table::table;
pub use verdict::{HARNESS_LOSS_MAX, Verdict};
pub use watched::watch_table;

use crate::result::RunResult;

/// Writes the page of `result`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_html(path: &Path, result: &RunResult) -> Result<(), ReportError> {
    fs::write(path, html(result)).map_err(|error| ReportError::Write(path.to_owned(), error))
}

/// Makes the page of a run from the JSON file that it left: `dais-load report RESULT.json --html FILE`.
///
/// # Errors
/// When one file cannot be read or the other not be written.
pub fn convert(json: &Path, html: &Path) -> Result<RunResult, ReportError> {
    let result = read_json(json)?;
    write_html(html, &result)?;
    Ok(result)
}
