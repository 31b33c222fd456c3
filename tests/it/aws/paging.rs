//! What moto does not do: pages of one, and pages that lie.

use std::time::Duration;

use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use reconcile::cloud::Vendor;
use reconcile::cloud::aws::{AwsBase, AwsVendor, Settings};
use reconcile::model::{
    Account, Credential, ObservedAccount, Place, Reading, Site, Source, VendorId,
};

use crate::peers::http::{Reply, Request};
use crate::peers::server::{Answer, ScriptedHttp};

/// How the service lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    /// A page says there is more, and not where.
    NoMarker,
    /// A page leads to itself.
    Loop,
    /// The account counts one user more than the pages have.
    MissingUser,
    /// A page has no list of groups, not even an empty one.
    NoList,
    /// The last page says where the next begins.
    LastWithMarker,
}

fn reply(action: &str, result: &str) -> Answer {
    let body = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}\
         </{action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </{action}Response>"
    );
    Answer::Reply(Reply::xml(200, &body))
}

fn more(next: Option<&str>) -> String {
    match next {
        Some(marker) => format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    }
}

fn user(number: u32) -> String {
    format!(
        "<member><UserName>user{number}</UserName><UserId>AIDA{number}</UserId>\
         <Path>/reconcile/spi/</Path><Arn>arn:aws:iam::111111111111:user/reconcile/spi/user{number}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate><GroupList><member>crew</member></GroupList>\
         <Tags><member><Key>reconcile:organisation</Key><Value>spi</Value></member><member>\
         <Key>reconcile:subject</Key><Value>person:debian:{number}</Value></member></Tags></member>"
    )
}

/// Two users, a group and a role, each on a page of its own.
fn answer(lie: Lie, request: &Request) -> Answer {
    let action = request.parameter("Action").unwrap_or_default();
    let marker = request.parameter("Marker");
    let one = "<CreateDate>2026-01-01T00:00:00Z</CreateDate>";
    match action.as_str() {
        "GetCallerIdentity" => reply(
            &action,
            "<Arn>arn:aws:iam::111111111111:user/runner</Arn><UserId>AIDARUNNER</UserId>\
             <Account>111111111111</Account>",
        ),
        "GetAccountSummary" => {
            let users = if lie == Lie::MissingUser { 3 } else { 2 };
            let entry = |key: &str, value: u32| {
                format!("<entry><key>{key}</key><value>{value}</value></entry>")
            };
            let counts = [("Users", users), ("Groups", 1), ("Roles", 1), ("Providers", 0)];
            let entries: Vec<String> = counts.map(|(key, value)| entry(key, value)).into();
            reply(&action, &format!("<SummaryMap>{}</SummaryMap>", entries.concat()))
        }
        "GetAccountAuthorizationDetails" => {
            let (mut users, mut groups, mut roles) = (String::new(), String::new(), String::new());
            let next = match marker.as_deref() {
                None => {
                    users = user(1);
                    Some("two")
                }
                Some("two") => {
                    users = user(2);
                    Some(if lie == Lie::Loop { "two" } else { "three" })
                }
                Some("three") => {
                    groups = format!(
                        "<member><GroupName>crew</GroupName><GroupId>AGPA1</GroupId>\
                         <Path>/reconcile/spi/group:debian:crew/</Path>{one}</member>"
                    );
                    Some("four")
                }
                _ => {
                    roles = format!(
                        "<member><RoleName>reader</RoleName><RoleId>AROA1</RoleId><Path>/</Path>{one}\
                         <Arn>arn:aws:iam::111111111111:role/reader</Arn></member>"
                    );
                    (lie == Lie::LastWithMarker).then_some("five")
                }
            };
            let mut paging = more(next);
            if lie == Lie::NoMarker && marker.as_deref() == Some("two") {
                "<IsTruncated>true</IsTruncated>".clone_into(&mut paging);
            }
            if lie == Lie::LastWithMarker && marker.as_deref() == Some("four") {
                "<IsTruncated>false</IsTruncated><Marker>five</Marker>".clone_into(&mut paging);
            }
            let groups = if lie == Lie::NoList && marker.is_none() {
                String::new()
            } else {
                format!("<GroupDetailList>{groups}</GroupDetailList>")
            };
            let lists = format!(
                "{paging}<UserDetailList>{users}</UserDetailList>{groups}\
                 <RoleDetailList>{roles}</RoleDetailList><Policies></Policies>"
            );
            reply(&action, &lists)
        }
        "ListRoles" => {
            let next = marker.is_none().then_some("two");
            reply(&action, &format!("{}<Roles></Roles>", more(next)))
        }
        "ListAccessKeys" => {
            let (id, next) = if marker.is_none() { (1, Some("two")) } else { (2, None) };
            let key = format!(
                "<member><UserName>user1</UserName><AccessKeyId>AKIA{id}</AccessKeyId></member>"
            );
            let list = format!("{}<AccessKeyMetadata>{key}</AccessKeyMetadata>", more(next));
            reply(&action, &list)
        }
        "ListMFADevices" => {
            let (id, next) = if marker.is_none() { (1, Some("two")) } else { (2, None) };
            let device = format!(
                "<member><UserName>user1</UserName><SerialNumber>GAHT{id}</SerialNumber>\
                 <EnableDate>2026-01-01T00:00:00Z</EnableDate></member>"
            );
            reply(&action, &format!("{}<MFADevices>{device}</MFADevices>", more(next)))
        }
        "ListSSHPublicKeys" => {
            reply(&action, &format!("{}<SSHPublicKeys></SSHPublicKeys>", more(None)))
        }
        "ListSigningCertificates" => {
            reply(&action, &format!("{}<Certificates></Certificates>", more(None)))
        }
        "ListServiceSpecificCredentials" => {
            let list = "<ServiceSpecificCredentials></ServiceSpecificCredentials>";
            reply(&action, &format!("{}{list}", more(None)))
        }
        "ListUserTags" => reply(&action, &format!("{}<Tags></Tags>", more(None))),
        _ => Answer::Reply(Reply::xml(
            404,
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message>\
             </Error><RequestId>r</RequestId></ErrorResponse>",
        )),
    }
}

struct Seen {
    account: Reading<ObservedAccount>,
    credentials: Reading<Vec<Credential>>,
}

async fn see(lie: Lie) -> Seen {
    let server = ScriptedHttp::start(move |request| answer(lie, request));
    let credentials = Credentials::new("AKIA", "secret", None, None, "test");
    let settings = Settings {
        endpoint: Some(server.url()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        call_time_limit: Duration::from_secs(5),
        page_size: Some(1),
        ..Settings::default()
    };
    let vendor = AwsVendor::iam(&AwsBase::new(settings, "paging"));
    let account = Account {
        place: Place { organisation: "spi".into(), account: "hub".into() },
        vendor: "aws".into(),
        partition: Some("aws".to_owned()),
        id: "111111111111".to_owned(),
        hub: "hub".into(),
        project: None,
        settings: std::collections::BTreeMap::new(),
        source: Source::new("inventory/spi.yaml", 1, 1),
    };
    let connection = vendor.connect(&Site::alone(&account)).await.expect("connected");
    Seen {
        account: connection.observe.observe().await,
        credentials: connection.observe.credentials(&[VendorId::new("AIDA1")]).await,
    }
}

#[tokio::test]
async fn pages_of_one_show_everything() {
    let seen = see(Lie::None).await;
    assert!(seen.account.is_complete(), "{:?}", seen.account.missing());
    let account = seen.account.got();
    let counts = (account.users.len(), account.groups.len(), account.roles.len());
    assert_eq!(counts, (2, 1, 1));
    assert_eq!(account.memberships.len(), 2, "a group on a later page than its members");
    assert!(seen.credentials.is_complete(), "{:?}", seen.credentials.missing());
    let ids: Vec<&str> = seen.credentials.got().iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["AKIA1", "AKIA2", "GAHT1", "GAHT2"]);
}

#[tokio::test]
async fn pages_that_lie_make_the_reading_partial() {
    for lie in [Lie::NoMarker, Lie::Loop, Lie::MissingUser, Lie::NoList, Lie::LastWithMarker] {
        let seen = see(lie).await;
        assert!(!seen.account.is_complete(), "{lie:?}");
        assert!(!seen.account.got().users.is_empty(), "{lie:?}: what was read is there");
    }
}
