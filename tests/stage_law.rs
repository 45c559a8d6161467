//! docs/stage.md is the product's law: every row and sentence of it has a test. docs/stage-tests.md says which.
//!
//! A sentence carries its mark in an HTML comment; a test names the marks it is of in a line `law: mark, mark` above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Where tests stand.
const FOLDERS: [&str; 6] = ["stage/tests", "stage/src", "media", "src", "tests", "web/src"];
/// Mark of what the page says about things still to come.
const NOT_YET: &str = "not-yet";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A marked row or sentence, in the order of the page.
struct Sentence {
    mark: String,
    text: String,
}

fn sentences() -> Vec<Sentence> {
    let page = fs::read_to_string(root().join("docs/stage.md")).expect("the law is there");
    let body = page.split_once("## Words").expect("the law begins with its words").1;
    let mut sentences = Vec::new();
    let mut text = String::new();
    for line in body.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            assert!(text.is_empty(), "docs/stage.md: no mark after: {text}");
            continue;
        }
        let is_head = line.starts_with("|---") || line.starts_with("| who |") || line.starts_with("| word |");
        if is_head || line.starts_with("| access |") {
            continue;
        }
        if let Some((before, mark)) = line.split_once("<!-- ") {
            text += before;
            let mark = mark.split(" -->").next().expect("a comment ends").to_owned();
            let words: Vec<_> = text.split_whitespace().collect();
            sentences.push(Sentence { mark, text: words.join(" ") });
            text.clear();
        } else {
            text += line;
            text.push(' ');
        }
    }
    assert!(text.is_empty(), "docs/stage.md: no mark after: {text}");
    sentences
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["node_modules", "test-results", "data"].contains(&name.as_str()) {
            sources(&path, found);
        } else if [".rs", ".ts", ".tsx"].iter().any(|end| name.ends_with(end)) && name != "stage_law.rs" {
            found.push(path);
        }
    }
}

/// The name of the test that the lines after a mark declare.
fn test_name(lines: &[&str]) -> Option<String> {
    let declaration = lines.iter().find(|line| !line.trim_start().starts_with(['#', '/']))?.trim_start();
    let rust = declaration.trim_start_matches("async ").strip_prefix("fn ");
    if let Some(rest) = rust {
        return Some(rest.split('(').next()?.replace('_', " "));
    }
    if declaration.starts_with("test.each(") {
        let named = lines.iter().find_map(|line| line.split_once(")(\""))?;
        return Some(named.1.split("\",").next()?.to_owned());
    }
    let calls = ["test(\"", "it(\""];
    let rest = calls.iter().find_map(|call| declaration.strip_prefix(call))?;
    Some(rest.split("\",").next()?.to_owned())
}

/// The tests of each mark: file and name.
fn tests() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut files = Vec::new();
    FOLDERS.iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let mut tests: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for path in files {
        let file = path.strip_prefix(root()).expect("below the root").display().to_string();
        let text = fs::read_to_string(&path).expect("sources are text");
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let Some(marks) = line.trim_start().strip_prefix("// law: ") else { continue };
            let name = test_name(&lines[n + 1..]).unwrap_or_else(|| panic!("{file}: no test after: {line}"));
            for mark in marks.split(", ") {
                tests.entry(mark.trim().to_owned()).or_default().insert((file.clone(), name.clone()));
            }
        }
    }
    tests
}

fn documentation() -> String {
    let tests = tests();
    let mut out = String::from(
        "# The law and its tests\n\nEvery row and sentence of [the stage's law](stage.md) with the tests that fail when \
         it is broken. Generated from the marks in both by `cargo xtask gen`.\n\n| sentence | tests |\n|---|---|\n",
    );
    for Sentence { mark, text } in sentences() {
        let text = text.trim_matches(['|', ' ']).trim_start_matches("- ").replace(" | ", " · ").replace('|', "");
        let named = tests.get(&mark).into_iter().flatten();
        let named: Vec<_> = named.map(|(file, name)| format!("{name} (`{file}`)")).collect();
        if mark != NOT_YET {
            let _ = writeln!(out, "| {text} | {} |", named.join("<br>"));
        }
    }
    out
}

#[test]
fn every_sentence_of_the_law_has_a_test() {
    let (sentences, tests) = (sentences(), tests());
    let marks: BTreeSet<&str> = sentences.iter().map(|sentence| sentence.mark.as_str()).collect();
    assert_eq!(marks.len(), sentences.len(), "each mark stands once");
    let untested: Vec<_> = marks.iter().filter(|mark| **mark != NOT_YET && !tests.contains_key(**mark)).collect();
    assert!(untested.is_empty(), "no test of: {untested:?}");
    let unknown: Vec<_> = tests.keys().filter(|mark| !marks.contains(mark.as_str())).collect();
    assert!(unknown.is_empty(), "tests of sentences that are not there: {unknown:?}");
    println!(
        "{} sentences, {} tests of them",
        sentences.len() - 1,
        tests.values().flatten().collect::<BTreeSet<_>>().len()
    );
}

#[test]
fn the_list_of_tests_is_up_to_date() {
    let path = root().join("docs/stage-tests.md");
    if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
        fs::write(&path, documentation()).expect("docs can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, documentation(), "run `cargo xtask gen`");
}
