//! The only reader of the environment here.

use std::path::{Path, PathBuf};

use crate::{Failure, Result};

/// The repository.
pub fn root_directory() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Where the AWS emulator listens.
///
/// # Errors
/// It is not set.
pub fn aws_endpoint_url() -> Result<String> {
    required("AWS_ENDPOINT_URL")
}

/// A superuser of a Postgres whose databases tests may create.
///
/// # Errors
/// It is not set.
pub fn test_database_url() -> Result<String> {
    required("TEST_DATABASE_URL")
}

#[expect(clippy::disallowed_methods, reason = "the settings of a test run come from its script")]
fn required(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| {
        Failure::new(format!("{name} is not set: run the tests with scripts/test, which sets it"))
    })
}

/// Where this build's binaries are: beside this one, or one above a test's.
pub fn binaries_directory() -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(|e| Failure::cannot("find the binaries", e))?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let is_test = beside.file_name().is_some_and(|name| name == "deps");
    let binaries = if is_test { beside.parent().unwrap_or(beside) } else { beside };
    Ok(binaries.to_owned())
}
