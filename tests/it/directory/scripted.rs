//! What no real server can be made to do: a few bytes of LDAP from a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconcile::directory::{LdapConfig, Origin, SchemaKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{assert_complete, assert_partial, config, groups, missing, read_it, server};

/// A BER element with a definite length.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            bytes.push(0x84);
            bytes.extend(u32::try_from(content.len()).expect("a short answer").to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

pub fn text(text: &str) -> Vec<u8> {
    element(0x04, text.as_bytes())
}

/// A `SearchResultEntry`.
pub fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|value| text(value)).collect();
            element(0x30, &[text(name), element(0x31, &values)].concat())
        })
        .collect();
    element(0x64, &[text(dn), element(0x30, &attributes)].concat())
}

/// A `SearchResultDone` with success.
pub fn done() -> Vec<u8> {
    element(0x65, &[element(0x0a, &[0]), text(""), text("")].concat())
}

/// The controls of an answer: a cookie of the paged results control.
pub fn cookie(cookie: &str) -> Vec<u8> {
    let value = element(0x30, &[element(0x02, &[0]), text(cookie)].concat());
    let control = [text("1.2.840.113556.1.4.319"), element(0x04, &value)].concat();
    element(0xa0, &element(0x30, &control))
}

/// One message of the answer: an operation and controls.
pub type Message = (Vec<u8>, Vec<u8>);

pub fn plain(operation: Vec<u8>) -> Message {
    (operation, Vec::new())
}

/// The messages of an answer, which need not end, with a pause before each.
pub struct Stream {
    pub messages: Box<dyn Iterator<Item = Message> + Send>,
    pub pause: Duration,
}

impl From<Vec<Message>> for Stream {
    fn from(messages: Vec<Message>) -> Self {
        Self { messages: Box::new(messages.into_iter()), pause: Duration::ZERO }
    }
}

/// Answers every search by a function of the request's bytes and the number of requests so far.
pub async fn serve<S: Into<Stream> + 'static>(
    answer: impl Fn(&str, usize) -> S + Send + Sync + 'static,
) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ldap://{}", listener.local_addr().expect("its address"));
    let requests = Arc::new(Mutex::new(0));
    let count = Arc::clone(&requests);
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&answer), Arc::clone(&count)));
        }
    });
    (url, requests)
}

async fn talk<S: Into<Stream> + 'static>(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str, usize) -> S>,
    count: Arc<Mutex<usize>>,
) -> std::io::Result<()> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).await?;
        let length = match head[1] {
            short @ ..0x80 => usize::from(short),
            long => {
                let mut bytes = vec![0; usize::from(long - 0x80)];
                stream.read_exact(&mut bytes).await?;
                bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
            }
        };
        let mut request = vec![0; length];
        stream.read_exact(&mut request).await?;
        let id_length = usize::from(request[1]) + 2;
        let id = request[..id_length].to_vec();
        if request[id_length] != 0x63 {
            return Ok(());
        }
        let number = {
            let mut count = count.lock().expect("no test panics while it counts");
            *count += 1;
            *count
        };
        let Stream { messages, pause } = answer(&String::from_utf8_lossy(&request), number).into();
        for (operation, controls) in messages {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let message = element(0x30, &[id.clone(), operation, controls].concat());
            stream.write_all(&message).await?;
        }
    }
}

/// The check of a base asks for no attributes.
pub fn is_base_check(request: &str) -> bool {
    request.contains("1.1")
}

pub fn is_for_groups(request: &str) -> bool {
    request.contains("sAMAccountName") && !request.contains("primaryGroupID")
}

const BASE_ENTRY: &str = "dc=example,dc=org";

pub fn base_entry() -> Vec<Message> {
    vec![plain(entry(BASE_ENTRY, &[])), plain(done())]
}

pub fn last_page(entries: Vec<Vec<u8>>) -> Vec<Message> {
    entries.into_iter().map(plain).chain([(done(), cookie(""))]).collect()
}

pub fn ada() -> Vec<u8> {
    let guid = "0123456789abcdef";
    entry("cn=ada,dc=example,dc=org", &[("sAMAccountName", &["ada"]), ("objectGUID", &[guid])])
}

pub fn all() -> Vec<u8> {
    entry("cn=all,dc=example,dc=org", &[("sAMAccountName", &["all"])])
}

pub fn active_directory(url: String) -> reconcile::directory::DirectoryConfig {
    let server = LdapConfig { read_timeout: Duration::from_secs(5), ..server(url) };
    config(Origin::Ldap(Box::new(server)), SchemaKind::ActiveDirectory)
}

/// A healthy answer to everything but what `other` answers.
pub async fn reading_with(
    other: impl Fn(&str, usize) -> Option<Vec<Message>> + Send + Sync + 'static,
) -> (reconcile::model::Reading<reconcile::model::Directory>, usize) {
    let (url, count) = serve(move |request, number| match other(request, number) {
        Some(messages) => messages,
        None if is_base_check(request) => base_entry(),
        None if is_for_groups(request) => last_page(vec![all()]),
        None => last_page(vec![ada()]),
    })
    .await;
    let reading = read_it(&active_directory(url)).await;
    let count = *count.lock().expect("no test panics while it counts");
    (reading, count)
}

#[tokio::test]
async fn the_healthy_script_is_complete() {
    let (reading, _) = reading_with(|_, _| None).await;
    assert_complete(&reading);
    assert!(groups(reading.got(), "ada").is_empty());
}

/// A group whose members come in three ranges, the last one of them or none at all.
fn ranged(request: &str, last: Option<&str>) -> Option<Vec<Message>> {
    let group = |name: &str, members: &[&str]| {
        entry("cn=all,dc=example,dc=org", &[("sAMAccountName", &["all"]), (name, members)])
    };
    let part = |name: &str, members: &[&str]| {
        Some(vec![plain(entry("cn=all,dc=example,dc=org", &[(name, members)])), plain(done())])
    };
    if request.contains("range=1-*") {
        part("member;range=1-1", &["cn=other,dc=example,dc=org"])
    } else if request.contains("range=2-*") {
        part(last?, &["CN=Ada,dc=example,dc=org"])
    } else if is_for_groups(request) && !is_base_check(request) {
        Some(last_page(vec![group("member;range=0-0", &["cn=first,dc=example,dc=org"])]))
    } else {
        None
    }
}

#[tokio::test]
async fn members_in_ranges_are_put_together() {
    let (reading, _) = reading_with(|request, _| ranged(request, Some("member;range=2-*"))).await;
    assert_complete(&reading);
    assert_eq!(groups(reading.got(), "ada"), ["all"]);
}

#[tokio::test]
async fn ranges_that_lead_nowhere_are_partial() {
    for last in [None, Some("member;range=1-1"), Some("description")] {
        let (reading, requests) = reading_with(move |request, _| match ranged(request, last) {
            None if request.contains("range=2-*") => Some(vec![plain(done())]),
            answer => answer,
        })
        .await;
        assert_partial(&reading, &["`member` of all", "does not hand out"]);
        assert!(requests < 10);
    }
}

#[tokio::test]
async fn a_cookie_that_never_ends_with_the_same_entry() {
    let (reading, requests) = reading_with(|request, _| {
        (!is_base_check(request) && !is_for_groups(request))
            .then(|| vec![plain(ada()), (done(), cookie("more"))])
    })
    .await;
    assert_partial(&reading, &["people below", "an entry came twice"]);
    assert_eq!(reading.got().people.len(), 1, "what was read stays");
    assert!(requests < 10);
}

#[tokio::test]
async fn a_cookie_that_never_ends_with_empty_pages() {
    let (reading, requests) = reading_with(|request, _| {
        (!is_base_check(request)).then(|| vec![(done(), cookie("more"))])
    })
    .await;
    assert_partial(&reading, &["groups below", "people below", "page after page is empty"]);
    assert!(requests < 300);
}

#[tokio::test]
async fn a_server_that_ignores_the_wish_for_pages() {
    let page = usize::try_from(server(String::new()).page_size).expect("a small page");
    let somebody = |number: usize| {
        let (dn, login) = (format!("cn=p{number},{BASE_ENTRY}"), format!("p{number}"));
        let guid = format!("{number:016}");
        entry(&dn, &[("sAMAccountName", &[login.as_str()]), ("objectGUID", &[guid.as_str()])])
    };
    // As many as a page has may be the first page, of which somebody left out that more follows.
    for (people, complete) in [(1, true), (page - 1, true), (page, false), (page + 1, true)] {
        let (reading, _) = reading_with(move |request, _| {
            let all = (0..people).map(|number| plain(somebody(number)));
            (!is_base_check(request) && !is_for_groups(request))
                .then(|| all.chain([plain(done())]).collect())
        })
        .await;
        assert_eq!(reading.is_complete(), complete, "{people}: {}", missing(&reading));
        assert_eq!(reading.got().people.len(), people);
        if !complete {
            assert_partial(&reading, &["does not say whether more follows", "`page_size: 0`"]);
        }
    }
}

#[tokio::test]
async fn a_later_page_without_the_word_that_it_was_the_last() {
    let (reading, _) = reading_with(|request, _| {
        let is_first = !request.contains("more");
        (!is_base_check(request) && !is_for_groups(request)).then(|| {
            if is_first {
                vec![plain(ada()), (done(), cookie("more"))]
            } else {
                vec![plain(done())]
            }
        })
    })
    .await;
    assert_partial(&reading, &["people below", "does not say whether more follows"]);
}

#[tokio::test]
async fn answers_that_are_not_ldap_are_partial() {
    let nonsense: [Vec<Message>; 5] = [
        vec![plain(vec![0x64, 0x00]), (done(), cookie(""))],
        vec![plain(element(0x64, &element(0x02, &[1]))), (done(), cookie(""))],
        vec![plain(element(0x65, &[]))],
        vec![plain(element(0x7e, &[]))],
        vec![(done(), element(0xa0, &element(0x30, &text("1.2.840.113556.1.4.319"))))],
    ];
    for messages in nonsense {
        let (reading, _) = reading_with(move |request, _| {
            (!is_base_check(request) && !is_for_groups(request)).then(|| messages.clone())
        })
        .await;
        assert!(!reading.is_complete() && !missing(&reading).is_empty());
        assert!(reading.got().group(&"all".into()).is_some(), "what was read stays");
    }
}

/// A group search answered with one member, the others as ever.
fn listing(member: &str) -> Vec<Message> {
    let members = [member];
    let all = ("sAMAccountName", &["all"][..]);
    last_page(vec![entry("cn=all,dc=example,dc=org", &[all, ("member", &members)])])
}

#[tokio::test]
async fn a_member_renamed_between_the_two_searches_is_found_by_reading_again() {
    let searches = std::sync::atomic::AtomicUsize::new(0);
    let (reading, _) = reading_with(move |request, _| {
        if !is_for_groups(request) || is_base_check(request) {
            return None;
        }
        let before = searches.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let name = if before { "anna" } else { "ada" };
        Some(listing(&format!("cn={name},dc=example,dc=org")))
    })
    .await;
    assert_complete(&reading);
    assert_eq!(groups(reading.got(), "ada"), ["all"]);
    assert_eq!(reading.got().groups[0].unmatched, None);
}

#[tokio::test]
async fn groups_that_change_whenever_they_are_read_are_partial() {
    let searches = std::sync::atomic::AtomicUsize::new(0);
    let (reading, requests) = reading_with(move |request, _| {
        if !is_for_groups(request) || is_base_check(request) {
            return None;
        }
        let number = searches.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(listing(&format!("cn=somebody-{number},dc=example,dc=org")))
    })
    .await;
    assert_partial(&reading, &["the members of groups", "while people were read"]);
    assert!(requests < 40, "{requests}");
}
