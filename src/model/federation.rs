//! Machines that prove who they are by a signed word of the forge they run at, instead of a key.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A job of a forge's CI: who may take on a service account's role without any stored secret.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Federation {
    /// What kind of forge issues the word.
    pub forge: Forge,
    /// The issuer, `https://…` without a slash at the end.
    pub issuer: String,
    /// The project whose jobs are meant: `group/project`, `owner/repository`,
    /// `owner@ID/repository@ID`.
    pub project: String,
    /// The branch, tag or environment; `None` for any.
    pub git_ref: Option<GitRef>,
    /// Only jobs of protected branches and tags.
    pub protected: bool,
    /// Only from these networks (CIDR); empty = from anywhere.
    pub networks: BTreeSet<String>,
    /// How many hours a session lasts at most.
    pub session_hours: Option<i64>,
}

/// The forges whose words are understood.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Forge {
    /// GitLab, gitlab.com or an installation of one's own.
    Gitlab,
    /// GitHub Actions.
    Github,
}

/// Which jobs of a project.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GitRef {
    /// Those of a branch (`*` stands for any text).
    Branch(String),
    /// Those of a tag (`*` stands for any text).
    Tag(String),
    /// Those of a deployment environment.
    Environment(String),
}
