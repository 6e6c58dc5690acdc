//! The files of the repository, without what is built or installed.

use std::fs;
use std::path::{Path, PathBuf};

/// Deeper than the repository; a symbolic link in a circle ends here.
const MAX_DEPTH: usize = 16;
const NOT_OURS: [&str; 6] = [".git", ".local", "target", "node_modules", "__pycache__", ".venv"];

pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("tests/tidy is two levels deep").to_owned()
}

/// One text file, with its path from the root.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub fn stem(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }
}

/// Every text file under `directory` (`""` is the whole repository), sorted by path.
pub fn files_under(directory: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root().join(directory), 0, &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

pub fn rust_files() -> Vec<File> {
    files_under("").into_iter().filter(|file| file.has_extension("rs")).collect()
}

/// The text of one file, or a failure that says what is missing.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path} must exist and be text: {error}"))
}

/// Fails with every offence at once, so that one run is enough to repair them all.
#[track_caller]
pub fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}\n", offences.join("\n  "));
}

fn collect(directory: &Path, depth: usize, found: &mut Vec<File>) {
    assert!(depth < MAX_DEPTH, "{} is nested too deep", directory.display());
    let entries = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{} must be there: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("a readable directory").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if NOT_OURS.contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, depth + 1, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).expect("under the root").to_string_lossy();
            found.push(File { path: path.into_owned(), text });
        }
    }
}
