//! The result as a file: what other programs read, and what a report can be made from again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::result::RunResult;

/// A report that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    /// The file is not what [`write_json`] writes.
    #[error("{0} is not the result of a run: {1}")]
    Malformed(PathBuf, #[source] serde_json::Error),
    /// The file cannot be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, #[source] io::Error),
}

impl ReportError {
    /// Stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(..) => "result_unreadable",
            Self::Malformed(..) => "result_malformed",
            Self::Write(..) => "report_unwritable",
        }
    }
}

/// Reads what [`write_json`] wrote.
///
/// # Errors
/// When the file cannot be read, or is not the result of a run.
pub fn read_json(path: &Path) -> Result<RunResult, ReportError> {
    let text = fs::read(path).map_err(|error| ReportError::Read(path.to_owned(), error))?;
    serde_json::from_slice(&text).map_err(|error| ReportError::Malformed(path.to_owned(), error))
}

/// Writes `result`, indented, its fields in the order of [`RunResult`]: two files of runs can be compared line by line.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, result: &RunResult) -> Result<(), ReportError> {
    let write = |text: String| fs::write(path, text + "\n");
    let text = serde_json::to_string_pretty(result).map_err(io::Error::from);
    text.and_then(write).map_err(|error| ReportError::Write(path.to_owned(), error))
}
