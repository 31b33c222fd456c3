//! What goes wrong, and where.

use super::super::http::Reply;
use super::super::server::Answer;
use super::call::Call;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused for being too fast: `Throttling` or `ThrottlingException`, HTTP 400. Not carried out.
    Throttle,
    /// Refused with a code of the service. Not carried out.
    Refused(u16, String),
    /// Refused as denied, with these words, in which `{token}` is the token of the session that the
    /// call came with. Not carried out.
    Says(String),
    /// A failure inside the service: 500, 503, … with the service's code. Not carried out.
    Failed(u16),
    /// The connection is reset. Not carried out.
    ResetBefore,
    /// Carried out, and the connection is reset instead of the reply.
    ReplyLost,
    /// Carried out; half of the body comes, and the header tells just that length.
    CutHonestly,
    /// Carried out; half of the body comes, and the header told the full length.
    CutShort,
    /// 200 with the shape of a reply and nothing in it. Not carried out.
    EmptyResult,
    /// 200 without a body. Not carried out.
    EmptyBody,
    /// No answer until the client gives up. Not carried out.
    Stall,
    /// Carried out, and no answer until the client gives up.
    StallAfterwards,
    /// 200 with the body of an earlier reply: what was written since is not visible yet. Not
    /// carried out.
    Earlier(String),
}

impl Fault {
    /// One of each kind, for tests that try them all.
    pub fn all() -> Vec<Self> {
        vec![
            Self::Throttle,
            Self::Refused(403, "AccessDenied".into()),
            Self::Failed(500),
            Self::Failed(503),
            Self::ResetBefore,
            Self::ReplyLost,
            Self::CutHonestly,
            Self::CutShort,
            Self::EmptyResult,
            Self::EmptyBody,
            Self::Stall,
            Self::StallAfterwards,
        ]
    }

    /// Whether the call is carried out all the same.
    pub fn reaches_the_server(&self) -> bool {
        match self {
            Self::ReplyLost | Self::CutHonestly | Self::CutShort | Self::StallAfterwards => true,
            Self::Throttle
            | Self::Refused(..)
            | Self::Says(_)
            | Self::Failed(_)
            | Self::ResetBefore
            | Self::EmptyResult
            | Self::EmptyBody
            | Self::Stall
            | Self::Earlier(_) => false,
        }
    }

    /// The answer to a call that is not carried out.
    pub(super) fn instead(&self, call: &Call) -> Answer {
        match self {
            Self::Throttle if call.speaks_xml() => error(call, 400, "Throttling"),
            Self::Throttle => error(call, 400, "ThrottlingException"),
            Self::Refused(status, code) => error(call, *status, code),
            Self::Says(words) => {
                let tokens = call.headers.0.iter();
                let mut tokens = tokens.filter(|(name, _)| name == "x-amz-security-token");
                let token = tokens.next().map_or("no token", |(_, value)| value.as_str());
                saying(call, 403, "AccessDenied", &words.replace("{token}", token))
            }
            Self::Failed(503) => error(call, 503, "ServiceUnavailable"),
            Self::Failed(status) if call.speaks_xml() => error(call, *status, "ServiceFailure"),
            Self::Failed(status) => error(call, *status, "InternalServerException"),
            Self::EmptyResult if call.speaks_xml() => Reply::xml(200, &empty_result(call)).into(),
            Self::EmptyResult => Reply::json(200, "{}").into(),
            Self::EmptyBody if call.speaks_xml() => Reply::xml(200, "").into(),
            Self::EmptyBody => Reply::json(200, "").into(),
            Self::Stall | Self::StallAfterwards => Answer::Stall,
            Self::Earlier(body) => Reply::xml(200, body).into(),
            Self::ResetBefore | Self::ReplyLost | Self::CutHonestly | Self::CutShort => {
                Answer::Reset
            }
        }
    }

    /// The answer to a call that was carried out.
    pub(super) fn afterwards(&self, call: &Call, mut reply: Reply) -> Answer {
        let length = reply.body.len();
        match self {
            Self::CutHonestly | Self::CutShort => {
                reply.body.truncate(length / 2);
                if *self == Self::CutShort {
                    Answer::Claiming(reply, length)
                } else {
                    Answer::Reply(reply)
                }
            }
            _ => self.instead(call),
        }
    }
}

/// Which calls a fault befalls: one by its number, or that one and all later ones.
///
/// Numbers begin at 1, and count the calls that fit since the fault was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    action: Option<String>,
    account: Option<String>,
    writes_only: bool,
    first: usize,
    later_too: bool,
}

impl Place {
    /// The call with a number.
    pub fn call(number: usize) -> Self {
        Self { action: None, account: None, writes_only: false, first: number, later_too: false }
    }

    /// The call of an action with a number.
    pub fn action(action: &str, number: usize) -> Self {
        Self { action: Some(action.into()), ..Self::call(number) }
    }

    /// The call with a number of those that could change something.
    pub fn write(number: usize) -> Self {
        Self { writes_only: true, ..Self::call(number) }
    }

    /// Counting only the calls in one account.
    #[must_use]
    pub fn in_account(self, account: &str) -> Self {
        Self { account: Some(account.into()), ..self }
    }

    /// And all that fit after it.
    #[must_use]
    pub fn and_later(self) -> Self {
        Self { later_too: true, ..self }
    }

    pub(super) fn fits(&self, call: &Call) -> bool {
        self.action.as_ref().is_none_or(|action| *action == call.action)
            && self.account.as_ref().is_none_or(|account| *account == call.account)
            && (call.is_write || !self.writes_only)
    }

    pub(super) fn is_at(&self, number: usize) -> bool {
        number == self.first || (self.later_too && number > self.first)
    }
}

const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

fn error(call: &Call, status: u16, code: &str) -> Answer {
    saying(call, status, code, "On order")
}

fn saying(call: &Call, status: u16, code: &str, words: &str) -> Answer {
    let reply = if call.speaks_xml() {
        let kind = if status < 500 { "Sender" } else { "Receiver" };
        let body = format!(
            "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
             <Message>{words}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
            namespace(call),
        );
        Reply::xml(status, &body)
    } else {
        Reply::json(status, &format!("{{\"__type\":\"{code}\",\"message\":\"{words}\"}}"))
    };
    reply.with_header("x-amzn-RequestId", REQUEST_ID).into()
}

fn empty_result(call: &Call) -> String {
    let (action, namespace) = (&call.action, namespace(call));
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result/><ResponseMetadata>\
         <RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn namespace(call: &Call) -> &'static str {
    match call.service.as_str() {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "https://iam.amazonaws.com/doc/2010-05-08/",
    }
}
