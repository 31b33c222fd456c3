//! IAM Identity Center with its identity store, as far as the program talks to them: refuses what
//! AWS refuses, ends assignments when it likes, and goes wrong on order.
//!
//! Written because moto lacks much of both (`UpdateUser`, `UpdateGroup`, tags, boundaries, the
//! status of provisioning) and ends every assignment at once. Sources: the Identity Store and IAM
//! Identity Center API references.

mod center;
mod paging;
mod store;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Reply, Request};
use super::server::{Answer, ScriptedHttp};

/// A refusal: status, code, reason.
pub type Refusal = (u16, &'static str, Option<&'static str>);

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused with a status, a code and headers. Not carried out.
    Refused(u16, &'static str, Vec<(&'static str, &'static str)>),
    /// Carried out, and the connection is reset instead of the reply.
    ReplyLost,
    /// No answer. Not carried out.
    Stall,
    /// Carried out, and no answer.
    StallAfter,
    /// 200 and an empty object. Not carried out.
    Empty,
}

/// How it behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Most items of a page.
    pub page_size: usize,
    /// How many other calls an assignment or a provisioning takes.
    pub calls_to_end: u32,
    /// Assignments end as failed, for this reason.
    pub assignments_fail: Option<&'static str>,
    /// Assignments and provisioning never end.
    pub never_ends: bool,
    /// More requests in one second to one of the two services are refused.
    pub ceiling: Option<usize>,
    /// The token of a page leads to the same page again.
    pub stuck: bool,
    /// No account has a policy of its own: what refers to one cannot be provisioned.
    pub no_own_policies: bool,
    /// Lists of users and permission sets leave this one out, and say nothing of it.
    pub hidden: Option<String>,
    /// An account whose assignments are nobody's to list.
    pub denied: Option<&'static str>,
}

/// Everything there is.
pub struct State {
    pub(super) users: BTreeMap<String, Value>,
    pub(super) groups: BTreeMap<String, Value>,
    /// Group and user by id.
    pub(super) memberships: BTreeMap<String, (String, String)>,
    pub(super) sets: BTreeMap<String, center::Set>,
    /// Account, set, type and id of the principal.
    pub(super) assignments: Vec<(String, String, String, String)>,
    /// Which version of a set an account has.
    pub(super) provisioned: BTreeMap<(String, String), u64>,
    pub(super) pending: BTreeMap<String, center::Pending>,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// The instances: ARN, owner.
    pub instances: Vec<(String, String)>,
    /// The account of the caller.
    pub caller: String,
    /// What the vendor calls the caller.
    pub caller_id: &'static str,
    next_id: u64,
    next_write: Option<Fault>,
    next_of: BTreeMap<String, VecDeque<Fault>>,
    recent: BTreeMap<String, VecDeque<Instant>>,
    /// Calls, in order.
    pub calls: Vec<String>,
    /// How many calls could change something.
    pub writes: u64,
    /// How many calls were refused for being too many.
    pub throttled: u64,
}

/// The one identity store.
pub const STORE: &str = "d-1234567890";
/// The one instance there is at first.
pub const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-1234567890abcdef";

/// A running service; ends when dropped.
pub struct IdentityCenterPeer {
    state: Arc<Mutex<State>>,
    http: ScriptedHttp,
}

impl IdentityCenterPeer {
    /// Starts one with nothing in it, in which an account is the caller and the owner.
    pub fn start(account: &str) -> Self {
        let state = Arc::new(Mutex::new(State::new(account)));
        let shared = Arc::clone(&state);
        let http = ScriptedHttp::start(move |request| {
            shared.lock().unwrap_or_else(PoisonError::into_inner).answer(request)
        });
        Self { state, http }
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        self.http.url()
    }

    /// What is in it, for tests to look at and to change behind the program's back.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next write goes wrong.
    pub fn next_write(&self, fault: Fault) {
        self.state().next_write = Some(fault);
    }

    /// The next call of an action goes wrong; several wait in line.
    pub fn next_of(&self, action: &str, fault: Fault) {
        self.state().next_of.entry(action.to_owned()).or_default().push_back(fault);
    }
}

impl State {
    fn new(account: &str) -> Self {
        Self {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            memberships: BTreeMap::new(),
            sets: BTreeMap::new(),
            assignments: Vec::new(),
            provisioned: BTreeMap::new(),
            pending: BTreeMap::new(),
            behaviour: Behaviour {
                page_size: 100,
                calls_to_end: 1,
                assignments_fail: None,
                never_ends: false,
                ceiling: None,
                stuck: false,
                no_own_policies: false,
                hidden: None,
                denied: None,
            },
            instances: vec![(INSTANCE.to_owned(), account.to_owned())],
            caller: account.to_owned(),
            caller_id: "AIDARUNNER",
            next_id: 0,
            next_write: None,
            next_of: BTreeMap::new(),
            recent: BTreeMap::new(),
            calls: Vec::new(),
            writes: 0,
            throttled: 0,
        }
    }

    /// A new id of the form the identity store's have.
    pub(super) fn new_id(&mut self) -> String {
        self.next_id += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.next_id, self.next_id)
    }

    /// The id of a user there is.
    pub fn user_called(&self, name: &str) -> String {
        let found = self.users.iter().find(|(_, user)| text(user, "UserName") == name);
        found.expect("a user of that name").0.clone()
    }

    /// The id of a group there is.
    pub fn group_called(&self, name: &str) -> String {
        let found = self.groups.iter().find(|(_, group)| text(group, "DisplayName") == name);
        found.expect("a group of that name").0.clone()
    }

    /// How often an action was called.
    pub fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| *call == action).count()
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let Some(target) = request.header("x-amz-target") else { return self.sts(request) };
        let (service, action) = target.split_once('.').unwrap_or_default();
        let (service, action) = (service.to_owned(), action.to_owned());
        let is_write = !["List", "Get", "Describe"].iter().any(|read| action.starts_with(read));
        self.calls.push(action.clone());
        self.writes += u64::from(is_write);
        if self.is_too_much(&service) {
            self.throttled += 1;
            return refusal((400, "ThrottlingException", None), &[]);
        }
        self.tick();
        let fault = match self.next_of.get_mut(&action).and_then(VecDeque::pop_front) {
            Some(fault) => Some(fault),
            None if is_write => self.next_write.take(),
            None => None,
        };
        match fault {
            Some(Fault::Refused(status, code, headers)) => {
                return refusal((status, code, None), &headers);
            }
            Some(Fault::Stall) => return Answer::Stall,
            Some(Fault::Empty) => return with_id(Reply::json(200, "{}")),
            Some(Fault::ReplyLost | Fault::StallAfter) | None => {}
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let result = match service.as_str() {
            "AWSIdentityStore" => self.store(&action, &body),
            "SWBExternalService" => self.center(&action, &body),
            _ => Err((400, "UnknownOperationException", None)),
        };
        match (fault, result) {
            (Some(Fault::ReplyLost), _) => Answer::Reset,
            (Some(Fault::StallAfter), _) => Answer::Stall,
            (_, Ok(reply)) => with_id(Reply::json(200, &reply.to_string())),
            (_, Err(refused)) => refusal(refused, &[]),
        }
    }

    /// One more request, and whether that is more than the ceiling allows.
    fn is_too_much(&mut self, service: &str) -> bool {
        let Some(ceiling) = self.behaviour.ceiling else { return false };
        let recent = self.recent.entry(service.to_owned()).or_default();
        let now = Instant::now();
        recent.push_back(now);
        while recent.front().is_some_and(|then| now - *then >= Duration::from_secs(1)) {
            recent.pop_front();
        }
        recent.len() > ceiling
    }

    /// Whether there is a managed policy: of AWS's all that are well known, of the account's own none.
    fn policy(&mut self, request: &Request) -> Answer {
        self.calls.push("GetPolicy".to_owned());
        if let Some(Fault::Refused(status, code, _)) =
            self.next_of.get_mut("GetPolicy").and_then(VecDeque::pop_front)
        {
            return iam_error(status, code);
        }
        let arn = request.parameter("PolicyArn").unwrap_or_default();
        let is_known = arn.strip_prefix("arn:aws:iam::aws:policy/").is_some_and(|name| {
            ["AdministratorAccess", "ReadOnlyAccess", "ViewOnlyAccess"].contains(&name)
        });
        if !is_known {
            return iam_error(404, "NoSuchEntity");
        }
        let body = format!(
            "<GetPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <GetPolicyResult><Policy><Arn>{arn}</Arn></Policy></GetPolicyResult>\
             <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetPolicyResponse>"
        );
        Reply::xml(200, &body).into()
    }

    /// Just whose credentials they are; any will do.
    fn sts(&mut self, request: &Request) -> Answer {
        let action = request.parameter("Action").unwrap_or_default();
        if action == "GetPolicy" {
            return self.policy(request);
        }
        if action != "GetCallerIdentity" {
            return Reply::xml(400, "<ErrorResponse/>").into();
        }
        let (account, id) = (&self.caller, self.caller_id);
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/runner</Arn>\
             <UserId>{id}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
        Reply::xml(200, &body).into()
    }
}

fn iam_error(status: u16, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>refused</Message></Error>\
         <RequestId>1</RequestId></ErrorResponse>"
    );
    Reply::xml(status, &body).into()
}

fn with_id(reply: Reply) -> Answer {
    reply.with_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000").into()
}

fn refusal((status, code, reason): Refusal, headers: &[(&str, &str)]) -> Answer {
    let body =
        json!({"__type": code, "message": "refused", "Message": "refused", "Reason": reason});
    let mut reply = Reply::json(status, &body.to_string());
    for (name, value) in headers {
        reply = reply.with_header(name, value);
    }
    with_id(reply)
}

/// A text of a request; empty if it is not there.
fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

const NOT_FOUND: Refusal = (400, "ResourceNotFoundException", None);
const INVALID: Refusal = (400, "ValidationException", None);
const CONFLICT: Refusal = (400, "ConflictException", None);
