//! People who know each other, and people who do not want to.

use std::collections::BTreeMap;

use domain::UserId;
use serde::{Deserialize, Serialize};

use crate::Fields;

/// `POST /v1/contact-requests`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskContact {
    pub user_id: Option<String>,
}

impl AskContact {
    pub fn parse(&self) -> Result<UserId, Fields> {
        let mut fields = Fields::default();
        let user = fields.required("user_id", self.user_id.as_deref(), str::parse);
        fields.finish(user)
    }
}

/// A part of everything that is kept about oneself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPart {
    /// `profile`, `sessions`, `contacts`, `blocks`, `conversations`, `messages`, `receipts`.
    pub section: String,
    pub items: Vec<BTreeMap<String, Option<String>>>,
    pub next_cursor: Option<String>,
}

/// What the other side of a contact request is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedContact {
    pub request: crate::value::ContactRequest,
    /// `requested`, or `contacts` when the other side had asked before.
    pub status: String,
}
