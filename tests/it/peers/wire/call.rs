//! One call, as far as it can be told from the outside.

use std::collections::HashMap;
use std::fmt;

use super::super::http::Request;
use super::super::server::Answer;
use super::fault::Fault;

/// Beginnings of the names of actions that change nothing.
const READS: [&str; 9] =
    ["Assume", "Batch", "Decode", "Describe", "Generate", "Get", "Is", "List", "Simulate"];

/// The headers of a call, which nobody wants to read where a test fails.
#[derive(Clone, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// As in the scope of the credentials: `iam`, `sts`, `sso`, `identitystore`, …
    pub service: String,
    /// `CreateUser`, …; empty if it cannot be told.
    pub action: String,
    /// The account of the credentials; the access key itself where it is not known.
    pub account: String,
    /// Whether it could change something.
    pub is_write: bool,
    /// What was asked, as it was sent: a form or JSON.
    pub request: String,
    /// What came with it.
    pub headers: Headers,
    /// Of the reply the client got; `None` if it got none, or none yet.
    pub status: Option<u16>,
    /// The bytes of the reply's body the client got.
    pub length: usize,
    /// What went wrong on order.
    pub fault: Option<Fault>,
}

impl Call {
    pub(super) fn of(request: &Request, accounts: &HashMap<String, String>) -> Self {
        let authorisation = request.header("authorization").unwrap_or_default();
        let scope = authorisation
            .split_once("Credential=")
            .and_then(|(_, rest)| rest.split(',').next())
            .unwrap_or_default();
        let mut scope = scope.split('/');
        let key = scope.next().unwrap_or_default();
        let service = scope.nth(2).unwrap_or_default().to_owned();
        let action = match request.header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => request.parameter("Action").unwrap_or_default(),
        };
        Self {
            is_write: !READS.iter().any(|read| action.starts_with(read)),
            account: accounts.get(key).map_or(key, String::as_str).to_owned(),
            service,
            action,
            request: request.text(),
            headers: Headers(request.headers.clone()),
            status: None,
            length: 0,
            fault: None,
        }
    }

    pub(super) fn finish(&mut self, answer: &Answer, fault: Option<&Fault>) {
        self.fault = fault.cloned();
        if let Answer::Reply(reply) | Answer::Claiming(reply, _) = answer {
            self.status = Some(reply.status);
            self.length = reply.body.len();
        }
    }

    /// Whether it is of a service with a query API, whose replies are XML.
    pub(super) fn speaks_xml(&self) -> bool {
        matches!(self.service.as_str(), "iam" | "sts")
    }
}
