//! The logs of started systems. When a test fails, the end of each is shown.

use std::fs::{File, create_dir_all, read_to_string};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use crate::environment::root_directory;
use crate::{Failure, Result};

const LINES_SHOWN: usize = 15;

static OPEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// A file under `target/acceptance-logs` that a failing test points to.
pub(crate) fn create(name: &str) -> Result<(PathBuf, File)> {
    let path = root_directory().join("target/acceptance-logs").join(format!("{name}.log"));
    let made = create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| File::create(&path));
    let file = made.map_err(|e| Failure::cannot(format!("write {}", path.display()), e))?;
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
    HOOK.call_once(show_when_something_fails);
    Ok((path, file))
}

/// A system that has ended well needs no mention any more.
pub(crate) fn forget(path: &Path) {
    // What cannot be removed is only untidy.
    let _ = std::fs::remove_file(path);
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).retain(|open| open != path);
}

fn show_when_something_fails() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        earlier(panic);
        for path in OPEN.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            eprintln!("{}", tail(path));
        }
    }));
}

/// The last lines that are more than routine.
pub(crate) fn tail(path: &Path) -> String {
    let text = read_to_string(path).unwrap_or_default();
    let mut lines: Vec<_> = text.lines().filter(|line| !line.contains("\"INFO\"")).collect();
    let first = lines.len().saturating_sub(LINES_SHOWN);
    lines.drain(..first);
    format!("the end of {}, without routine:\n{}", path.display(), lines.join("\n"))
}
