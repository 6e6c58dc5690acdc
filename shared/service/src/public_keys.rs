//! The keys that access tokens are verified with, for everybody.

use std::sync::Arc;

use crate::Error;
use crate::port::{Clock, KeyDirectory, PublicKey};

/// Shows the public keys that are not over.
#[derive(Clone)]
pub struct PublicKeys {
    pub directory: Arc<dyn KeyDirectory>,
    pub clock: Arc<dyn Clock>,
}

impl PublicKeys {
    pub async fn list(&self) -> Result<Vec<PublicKey>, Error> {
        Ok(self.directory.keys(self.clock.now()).await?)
    }
}
