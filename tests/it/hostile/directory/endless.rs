//! A directory that never ends is bounded as a whole, in time and in memory.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use reconcile::directory::{Bind, Bounds, DirectoryConfig, LdapConfig, Origin, SchemaKind};
use reconcile::model::{Directory, Reading};
use reconcile::operator::{Command, SecretFrom};

use crate::cli::site::{Site, ran};
use crate::directory::scripted::{
    Message, Stream, all, base_entry, cookie, done, element, entry, is_base_check, is_for_groups,
    last_page, plain, serve,
};
use crate::directory::{
    assert_complete, assert_partial, config, operator_for, read_as, read_it, read_ldif_as_it_is,
    relative, server,
};

const TOTAL: Duration = Duration::from_millis(700);

/// Active Directory at this address, with these bounds. No limit of a single step trips.
fn bounded(url: String, bounds: Bounds) -> DirectoryConfig {
    let server = LdapConfig {
        connect_timeout: Duration::from_mins(1),
        read_timeout: Duration::from_mins(1),
        attempts: 1000,
        ..server(url)
    };
    DirectoryConfig {
        bounds,
        ..config(Origin::Ldap(Box::new(server)), SchemaKind::ActiveDirectory)
    }
}

fn short() -> Bounds {
    Bounds { time: TOTAL, ..Bounds::default() }
}

fn small(memory: usize) -> Bounds {
    Bounds { time: Duration::from_secs(20), memory }
}

/// A healthy server but for what it answers to the search for people, or for groups.
async fn read_with<S: Into<Stream> + 'static>(
    bounds: Bounds,
    answer: impl Fn(&str, usize) -> Option<S> + Send + Sync + 'static,
) -> Reading<Directory> {
    let (url, _) = serve(move |request, number| match answer(request, number) {
        Some(stream) => stream.into(),
        None if is_base_check(request) => base_entry().into(),
        None if is_for_groups(request) => last_page(vec![all()]).into(),
        None => last_page(vec![person(0)]).into(),
    })
    .await;
    let begin = Instant::now();
    let reading = read_it(&bounded(url, bounds)).await;
    assert!(begin.elapsed() < Duration::from_secs(15), "it took {:?}", begin.elapsed());
    reading
}

fn person(number: usize) -> Vec<u8> {
    let (name, guid) = (format!("p{number}"), format!("{number:016}"));
    let attributes = [("sAMAccountName", &[name.as_str()][..]), ("objectGUID", &[guid.as_str()])];
    entry(&format!("cn={name},dc=example,dc=org"), &attributes)
}

fn is_for_people(request: &str) -> bool {
    !is_base_check(request) && !is_for_groups(request)
}

fn endless(message: impl FnMut(usize) -> Message + Send + 'static, pause: Duration) -> Stream {
    Stream { messages: Box::new((0..).map(message)), pause }
}

/// The exact cause, the key to raise, and what was read stays.
#[track_caller]
fn assert_over_time(reading: &Reading<Directory>) {
    assert_partial(reading, &["people below", "longer than the 0.7 s", "raise `total_seconds`"]);
    assert!(reading.got().group(&"all".into()).is_some(), "what was read stays");
}

#[tokio::test]
async fn endless_pages_with_a_cookie_that_never_changes_end_with_the_time() {
    let reading = read_with(short(), |request, number| {
        is_for_people(request).then(|| vec![plain(person(number)), (done(), cookie("same"))])
    })
    .await;
    assert_over_time(&reading);
    assert!(!reading.got().people.is_empty());
}

#[tokio::test]
async fn an_entry_every_so_often_ends_with_the_time() {
    let reading = read_with(short(), |request, _| {
        is_for_people(request)
            .then(|| endless(|number| plain(person(number)), Duration::from_millis(50)))
    })
    .await;
    assert_over_time(&reading);
    assert!(!reading.got().people.is_empty());
}

#[tokio::test]
async fn endless_messages_that_bring_nothing_end_with_the_time() {
    let intermediate = || plain(element(0x79, &[]));
    let reference = || plain(element(0x73, &crate::directory::scripted::text("ldap://x/")));
    for message in [intermediate(), reference()] {
        let reading = read_with(short(), move |request, _| {
            let message = message.clone();
            is_for_people(request).then(|| endless(move |_| message.clone(), Duration::ZERO))
        })
        .await;
        assert_over_time(&reading);
    }
}

#[tokio::test]
async fn endless_entries_end_with_the_memory() {
    let reading = read_with(small(1_000_000), |request, _| {
        is_for_people(request).then(|| endless(|number| plain(person(number)), Duration::ZERO))
    })
    .await;
    assert_partial(&reading, &["more of it than the 1 MB", "raise `most_megabytes`"]);
    let people = reading.got().people.len();
    assert!((500..10_000).contains(&people), "{people} people in a megabyte");
}

/// A group whose members come in ranges.
fn ranges(request: &str, part: impl Fn(u64) -> Vec<String>) -> Option<Vec<Message>> {
    let from = match request.split_once("range=") {
        Some((_, rest)) => rest.split('-').next()?.parse().ok()?,
        None if is_for_groups(request) && !is_base_check(request) => 0,
        None => return None,
    };
    let members = part(from);
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let name = format!("member;range={from}-{}", from + members.len() as u64 - 1);
    let attributes = [("sAMAccountName", &["all"][..]), (name.as_str(), &members)];
    let group = plain(entry("cn=all,dc=example,dc=org", &attributes));
    let last = if request.contains("range=") { plain(done()) } else { (done(), cookie("")) };
    Some(vec![group, last])
}

#[tokio::test]
async fn endless_ranges_of_one_group_end_with_the_memory_or_the_time() {
    let reading = read_with(small(2_000_000), |request, _| {
        ranges(request, |from| (from..from + 1000).map(|at| format!("cn=p{at},dc=x")).collect())
    })
    .await;
    assert_partial(&reading, &["groups below", "raise `most_megabytes`"]);
    let reading =
        read_with(short(), |request, _| ranges(request, |from| vec![format!("cn=p{from},dc=x")]))
            .await;
    assert_partial(&reading, &["groups below", "raise `total_seconds`"]);
}

#[tokio::test]
async fn a_large_group_whose_members_come_twice_costs_what_they_cost_once() {
    const MEMBERS: usize = 20_000;
    let reading = read_with(small(16_000_000), |request, _| {
        let names = || (0..MEMBERS).map(|at| format!("cn=p{at},dc=example,dc=org"));
        let members: Vec<String> = names().chain(names()).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let group = |name: &str| {
            let attributes = [("sAMAccountName", &[name][..]), ("member", &members)];
            entry(&format!("cn={name},dc=example,dc=org"), &attributes)
        };
        // Twenty groups of them: what is kept is each member once, and numbers.
        (is_for_groups(request) && !is_base_check(request))
            .then(|| last_page((0..5).map(|at| group(&format!("g{at}"))).collect()))
    })
    .await;
    assert_complete(&reading);
    assert_eq!(reading.got().people[0].groups.len(), 5);
}

#[tokio::test]
async fn one_giant_message_is_refused_before_it_comes() {
    let reading = read_with(small(8_000_000), |request, _| {
        // An element that is a megabyte too long for a quarter of the memory.
        is_for_people(request).then(|| vec![plain(element(0x64, &vec![0; 3_000_000]))])
    })
    .await;
    assert_partial(&reading, &["an answer of more than 2000 kB", "raise `most_megabytes`"]);
}

#[tokio::test]
async fn an_entry_with_a_million_empty_values_is_counted_before_it_is_kept() {
    // Two megabytes on the wire, forty in memory.
    let reading = read_with(small(16_000_000), |request, _| {
        is_for_people(request).then(|| {
            let values = [0x04, 0].repeat(1_000_000);
            let attribute =
                [crate::directory::scripted::text("mail"), element(0x31, &values)].concat();
            let name = crate::directory::scripted::text("cn=x,dc=example,dc=org");
            let attributes = element(0x30, &element(0x30, &attribute));
            last_page(vec![element(0x64, &[name, attributes].concat())])
        })
    })
    .await;
    assert_partial(&reading, &["people below", "more of it than the 16 MB"]);
}

#[tokio::test]
async fn a_page_cookie_without_measure_is_refused() {
    let reading = read_with(short(), |request, number| {
        let large = "x".repeat(100_000);
        is_for_people(request).then(|| vec![plain(person(number)), (done(), cookie(&large))])
    })
    .await;
    assert_partial(&reading, &["people below", "a cookie without measure"]);
}

#[tokio::test]
async fn asking_for_a_password_and_connecting_count_in_the_total() {
    let begin = Instant::now();
    let mut slow_secret = bounded("ldap://127.0.0.1:9".into(), short());
    let Origin::Ldap(server) = &mut slow_secret.origin else { unreachable!("an LDAP server") };
    server.bind = Bind::Simple { dn: "cn=x".into(), secret: "slow".into() };
    let mut operator = operator_for(&slow_secret);
    let words = ["sleep", "20"].map(str::to_owned).to_vec();
    let from = SecretFrom::Command(Command { words, folder: "/".into() });
    operator.secrets.get_mut("slow").expect("the secret").from = from;
    let told = ["everything on ldap://127.0.0.1:9", "longer than the 0.7 s"];
    assert_partial(&read_as(&slow_secret, &operator).await, &told);
    // A server that takes the connection and says nothing about TLS.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let mut silent = bounded(format!("ldap://{address}"), short());
    let Origin::Ldap(server) = &mut silent.origin else { unreachable!("an LDAP server") };
    server.start_tls = true;
    assert_partial(&read_it(&silent).await, &["everything on", "longer than the 0.7 s"]);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn all_attempts_share_the_time() {
    let begin = Instant::now();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let reading = read_it(&bounded(format!("ldap://{address}"), short())).await;
    assert_partial(&reading, &["the connection broke"]);
    assert!(begin.elapsed() < Duration::from_secs(5), "a thousand attempts were allowed");
}

/// A chain of groups, each person in the first of them and so in all.
fn chain(groups: usize, people: usize) -> String {
    let mut text = String::new();
    let users = "ou=users,dc=example,dc=org";
    for at in 0..groups {
        let _ = write!(
            text,
            "dn: gid=g{at:05},{users}\nobjectClass: debianGroup\ngid: g{at:05}\nsubGroup: g{:05}\n\n",
            at + 1
        );
    }
    for at in 0..people {
        let _ = write!(
            text,
            "dn: uid=p{at},{users}\nobjectClass: debianDeveloper\nuid: p{at}\nuidNumber: {at}\n\
             cn: P\nsn: P\nkeyFingerPrint: 00\nsupplementaryGid: g00000\n\n"
        );
    }
    text + "# end\n"
}

async fn read_file(text: &str, bounds: Bounds) -> Reading<Directory> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("people.ldif");
    std::fs::write(&file, text).expect("a file");
    let file = relative(file.to_str().expect("a plain name"));
    read_it(&DirectoryConfig { bounds, ..config(Origin::Ldif(file), SchemaKind::Userdir) }).await
}

#[tokio::test]
async fn groups_in_groups_do_not_multiply_without_end() {
    // A few kilobytes that mean a million memberships.
    let text = chain(1000, 1000);
    let reading = read_file(&text, small(3_000_000)).await;
    assert_partial(&reading, &["the LDIF file", "more of it than the 3 MB"]);
    let people = reading.got().people.len();
    assert!(people > 10 && people < 500, "{people}");
}

#[tokio::test]
async fn a_file_is_bounded_in_time_as_well() {
    let reading =
        read_file(&chain(10, 1000), Bounds { time: Duration::ZERO, ..Bounds::default() }).await;
    assert_partial(&reading, &["the LDIF file", "raise `total_seconds`"]);
}

#[tokio::test]
async fn real_people_need_less_than_a_thousand_bytes_each() {
    // So a hundred thousand fit into the default five times.
    let text = chain(10, 2000);
    assert_complete(&read_file(&text, small(2_000_000)).await);
    let bounds = Bounds::default();
    assert!(bounds.memory >= 5 * 100_000 * 1000 && bounds.time == Duration::from_mins(10));
}

#[tokio::test]
async fn oddities_without_number_are_counted() {
    let many = (0..5000).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "supplementaryGid: nowhere{at}");
        text
    });
    let text = chain(1, 20).replacen("cn: P\n", &format!("cn: P\n{many}"), 1);
    let reading = read_ldif_as_it_is(&text, SchemaKind::Userdir).await;
    assert_complete(&reading);
    assert_eq!(reading.got().warnings.len(), 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_with_a_directory_that_never_ends_takes_nothing_away_and_gives_the_lock_back() {
    let (url, _) = serve(|request, number| match request {
        _ if is_base_check(request) => base_entry(),
        _ => vec![plain(person(number)), (done(), cookie("same"))],
    })
    .await;
    tokio::task::spawn_blocking(move || {
        let site = Site::applied();
        // None of those whom it showed before is among its endless people.
        site.edit(
            "inventory/directories.yaml",
            "    ldif: inventory/people/freedesktop.ldif\n",
            &format!(
                "    ldap: {{url: \"{url}\", start_tls: false}}\n    total_seconds: 1\n    \
                 most_megabytes: 64\n"
            ),
        );
        site.operator(&format!("servers: ['{url}']\n"));
        // Elsewhere somebody joins a group, and somebody leaves.
        site.edit_person("eilidh", |entry| format!("{entry}\nsupplementaryGid: sysadmin"));
        let first = site.run(&[]).ends_with(4);
        assert!(first.changes().iter().any(|change| change.contains("eilidh")), "{}", first.out);
        assert!(!first.changes().iter().any(|change| change.starts_with('-')), "{}", first.out);
        let said = first.text();
        assert!(said.contains("longer than the 1 s") && said.contains("`total_seconds`"), "{said}");
        // Not 6, which is "another run holds the lock".
        ran(&mut site.command(&[])).ends_with(4);
    })
    .await
    .expect("the site");
}

#[test]
fn whoever_writes_the_inventory_cannot_lift_the_bounds() {
    for (bound, most) in [("total_seconds: 3601", "3600"), ("most_megabytes: 4000000000", "8192")] {
        let site = Site::new();
        site.edit(
            "inventory/directories.yaml",
            "    schema: rfc2307\n",
            &format!("    schema: rfc2307\n    {bound}\n"),
        );
        let said = site.run(&["check"]).ends_with(2).text();
        assert!(
            said.contains("is no bound") && said.contains(&format!("at most {most}")),
            "{said}"
        );
    }
}
