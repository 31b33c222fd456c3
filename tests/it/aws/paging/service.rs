//! An IAM that gives every list on pages of one, and lies about one of them on order.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::lists::{LISTS, List, group, mark, role, role_arn, user};
use crate::peers::http::{Reply, Request};
use crate::peers::server::{Answer, ScriptedHttp};

/// How the service lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The first page says there is more, and not where.
    NoMarker,
    /// The second page leads to itself.
    Loop,
    /// The second page leads to a third, and that to the second.
    Circle,
    /// The first page is the last, and says where the next begins.
    LastWithMarker,
    /// The first page, which is the last, has no such element, not even an empty one.
    NoList(&'static str),
    /// The summary counts one user more than the pages have.
    OneMore,
    /// What a list has first is gone by the time it is looked at.
    Gone,
}

/// One call, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub action: String,
    /// `MaxItems`
    pub most: Option<String>,
    pub marker: Option<String>,
    /// `VersionId`
    pub version: Option<String>,
}

impl Call {
    pub fn is_list(&self) -> bool {
        self.action.starts_with("List") || self.action == "GetAccountAuthorizationDetails"
    }

    pub fn is_write(&self) -> bool {
        !self.action.starts_with("List") && !self.action.starts_with("Get")
    }
}

/// A running service; ends when dropped.
pub struct Service {
    server: ScriptedHttp,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Service {
    /// Starts a service that lies about one action, or about none.
    pub fn start(lie: Option<(&'static str, Lie)>) -> Self {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let all = Arc::clone(&calls);
        let server = ScriptedHttp::start(move |request| {
            let call = Call {
                action: request.parameter("Action").unwrap_or_default(),
                most: request.parameter("MaxItems"),
                marker: request.parameter("Marker"),
                version: request.parameter("VersionId"),
            };
            let answer = answer(lie, &call, request);
            all.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            answer
        });
        Self { server, calls }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn reply(action: &str, result: &str) -> Answer {
    let body = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>\
         {result}</{action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </{action}Response>"
    );
    Answer::Reply(Reply::xml(200, &body))
}

fn not_there() -> Answer {
    Answer::Reply(Reply::xml(
        404,
        "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message>\
         </Error><RequestId>r</RequestId></ErrorResponse>",
    ))
}

fn answer(lie: Option<(&str, Lie)>, call: &Call, request: &Request) -> Answer {
    let action = call.action.as_str();
    if let Some(list) = LISTS.iter().find(|list| list.action == action) {
        let lie = lie.filter(|(of, _)| *of == action).map(|(_, lie)| lie);
        return reply(action, &page(list, lie, call.marker.as_deref()));
    }
    // The number at the end of a name.
    let number = |parameter: &str| -> u32 {
        let name = request.parameter(parameter).unwrap_or_default();
        name.trim_start_matches(|one: char| !one.is_ascii_digit()).parse().unwrap_or_default()
    };
    if lie == Some(("GetUser", Lie::Gone)) && number("UserName") == 1
        || lie == Some(("GetRole", Lie::Gone)) && number("RoleName") == 1
    {
        return not_there();
    }
    match action {
        "GetCallerIdentity" => reply(
            action,
            "<Arn>arn:aws:iam::111111111111:user/runner</Arn><UserId>AIDARUNNER</UserId>\
             <Account>111111111111</Account>",
        ),
        "GetAccountSummary" => {
            // Where a list lies, its own members must give it away.
            let count = match lie {
                None => 2,
                Some((_, Lie::OneMore)) => 3,
                Some(_) => 0,
            };
            let mut entries = String::new();
            for (key, value) in [("Users", count), ("Groups", 0), ("Roles", 0), ("Providers", 1)] {
                let _ = write!(entries, "<entry><key>{key}</key><value>{value}</value></entry>");
            }
            reply(action, &format!("<SummaryMap>{entries}</SummaryMap>"))
        }
        "GetUser" => {
            let n = number("UserName");
            let mark = mark(&format!("person:debian:{n}"));
            reply(action, &format!("<User>{}{mark}</User>", user(n)))
        }
        "GetGroup" => {
            let group = group(number("GroupName"));
            let rest = "<Users/><IsTruncated>false</IsTruncated>";
            reply(action, &format!("<Group>{group}</Group>{rest}"))
        }
        "GetRole" => {
            let n = number("RoleName");
            let mark = mark(&format!("role:r{n}"));
            let description = "<Description>looked at</Description>";
            reply(action, &format!("<Role>{}{description}{mark}</Role>", role(n)))
        }
        "GetPolicy" => reply(action, "<Policy><DefaultVersionId>v9</DefaultVersionId></Policy>"),
        "GetPolicyVersion" => {
            let document = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["{}"]}}]}}"#,
                role_arn(2)
            );
            let version = format!("<Document>{document}</Document><VersionId>v9</VersionId>");
            reply(action, &format!("<PolicyVersion>{version}</PolicyVersion>"))
        }
        "GetOpenIDConnectProvider" => reply(action, "<Url>p</Url><Tags/>"),
        "GetSAMLProvider" => reply(action, "<SAMLMetadataDocument>x</SAMLMetadataDocument><Tags/>"),
        "DetachGroupPolicy" | "DeletePolicyVersion" | "DeletePolicy" => reply(action, ""),
        _ => not_there(),
    }
}

/// One page of a list: where somebody lies, nothing that is asked for is on any.
fn page(list: &List, lie: Option<Lie>, marker: Option<&str>) -> String {
    let second = if lie.is_none() { 2 } else { 4 };
    let number = if marker.is_none() { 1 } else { second };
    let mut page = String::new();
    for element in list.elements {
        let name = element.name;
        if lie == Some(Lie::NoList(name)) {
            continue;
        }
        let mut members = format!("<member>{}</member>", (element.member)(number));
        if !list.is_paged {
            let _ = write!(members, "<member>{}</member>", (element.member)(second));
        }
        let _ = write!(page, "<{name}>{members}</{name}>");
    }
    if !list.is_paged {
        return page;
    }
    let (is_truncated, next) = match (lie, marker) {
        (Some(Lie::NoList(_)), _) => (false, None),
        (Some(Lie::NoMarker), None) => (true, None),
        (Some(Lie::LastWithMarker), None) => (false, Some("two")),
        (_, None) | (Some(Lie::Loop), Some(_)) | (Some(Lie::Circle), Some("three")) => {
            (true, Some("two"))
        }
        (Some(Lie::Circle), Some(_)) => (true, Some("three")),
        (_, Some(_)) => (false, None),
    };
    let next = next.map(|next| format!("<Marker>{next}</Marker>")).unwrap_or_default();
    format!("{page}<IsTruncated>{is_truncated}</IsTruncated>{next}")
}
