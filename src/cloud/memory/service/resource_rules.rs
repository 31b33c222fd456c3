//! What the service refuses about resources.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::api::{Code, Failure, ResourceInput};
use super::super::config::RESOURCE_NAMES;
use super::life::{Moment, Progress, progress};
use super::resource::{DOMAIN, Resource, Setting, said, set_of, text_of};
use super::rules::{no_such, none_of, refusal};
use super::state::State;
use crate::model::ResourceKind;

/// What a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Flag,
    Set,
}

/// A setting of a kind.
#[derive(Clone, Copy)]
struct Word {
    name: &'static str,
    shape: Shape,
    /// Whether it may be left out.
    optional: bool,
    /// Whether it stays as it was at first.
    fixed: bool,
}

const fn word(name: &'static str, shape: Shape) -> Word {
    Word { name, shape, optional: false, fixed: false }
}

const fn fixed(name: &'static str, shape: Shape) -> Word {
    Word { fixed: true, ..word(name, shape) }
}

const fn optional(word: Word) -> Word {
    Word { optional: true, ..word }
}

const ZONE: &[Word] = &[fixed("domain", Shape::Text)];
const RECORD_SET: &[Word] = &[
    fixed("zone", Shape::Text),
    fixed("domain", Shape::Text),
    fixed("type", Shape::Text),
    word("values", Shape::Set),
    word("ttl", Shape::Number),
    optional(fixed("near", Shape::Text)),
];
const CERTIFICATE: &[Word] = &[fixed("domains", Shape::Set)];
const SERVER: &[Word] = &[
    fixed("region", Shape::Text),
    fixed("size", Shape::Text),
    fixed("image", Shape::Text),
    fixed("disk", Shape::Number),
    fixed("content", Shape::Text),
];
const FRONT_END: &[Word] = &[
    word("domains", Shape::Set),
    word("certificate", Shape::Text),
    word("origins", Shape::Set),
    optional(word("region", Shape::Text)),
    word("enabled", Shape::Flag),
];

/// The settings of a kind.
fn words(kind: ResourceKind) -> &'static [Word] {
    match kind {
        ResourceKind::Zone => ZONE,
        ResourceKind::RecordSet => RECORD_SET,
        ResourceKind::Certificate => CERTIFICATE,
        ResourceKind::Server => SERVER,
        ResourceKind::FrontEnd => FRONT_END,
    }
}

type Settings = BTreeMap<String, Setting>;
type Verdict = Result<(), Failure>;

fn invalid(message: &str) -> Failure {
    refusal(Code::InvalidInput, message)
}

/// What an account may be asked to make, or to make of what is there.
pub(in super::super) struct Wish<'a> {
    pub account: &'a str,
    pub input: &'a ResourceInput,
    /// What it is now; `None` for something new.
    pub before: Option<&'a Resource>,
}

/// Refuses what cannot be made so, looking at nothing but the wish itself.
pub(in super::super) fn check_wish(wish: &Wish<'_>) -> Verdict {
    let ResourceInput { kind, name, settings, tags: _ } = wish.input;
    if let Err(problem) = RESOURCE_NAMES.check(name) {
        return Err(invalid(&format!("the name {problem}")));
    }
    let words = words(*kind);
    if let Some(unknown) = settings.keys().find(|key| words.iter().all(|word| word.name != **key)) {
        return Err(invalid(&format!("a {} has no `{unknown}`", said(*kind))));
    }
    for word in words {
        check_word(*kind, word, settings.get(word.name))?;
        let before = wish.before.map(|before| before.settings.get(word.name));
        if word.fixed && before.is_some_and(|before| before != settings.get(word.name)) {
            let of = said(*kind);
            return Err(invalid(&format!("the {} of a {of} cannot be changed", word.name)));
        }
    }
    if wish.before.is_some_and(|before| before.kind != *kind) {
        return Err(invalid("the kind of a resource cannot be changed"));
    }
    match kind {
        ResourceKind::Zone => check_domain(text_of(settings, "domain")),
        ResourceKind::RecordSet => check_records(settings),
        ResourceKind::Certificate | ResourceKind::FrontEnd => check_domains(settings),
        ResourceKind::Server => match settings.get("disk") {
            Some(Setting::Number(1..)) => Ok(()),
            _ => Err(invalid("a disk has at least 1 GB")),
        },
    }
}

fn check_word(kind: ResourceKind, word: &Word, setting: Option<&Setting>) -> Verdict {
    let shape = match setting {
        None if word.optional => return Ok(()),
        None => {
            return Err(invalid(&format!("a {} needs `{}`", said(kind), word.name)));
        }
        Some(Setting::Text(_)) => Shape::Text,
        Some(Setting::Number(_)) => Shape::Number,
        Some(Setting::Flag(_)) => Shape::Flag,
        Some(Setting::Set(_)) => Shape::Set,
    };
    if shape != word.shape {
        return Err(invalid(&format!("`{}` is a {:?}", word.name, word.shape)));
    }
    let empty = match setting {
        Some(Setting::Text(text)) => text.is_empty(),
        Some(Setting::Set(set)) => set.is_empty(),
        _ => false,
    };
    if empty { Err(invalid(&format!("`{}` is empty", word.name))) } else { Ok(()) }
}

fn check_domains(settings: &Settings) -> Verdict {
    set_of(settings, "domains")
        .try_for_each(|domain| check_domain(domain.strip_prefix("*.").unwrap_or(domain)))
}

fn check_domain(domain: &str) -> Verdict {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    if domain.len() <= 253 && domain.split('.').count() > 1 && domain.split('.').all(label) {
        return Ok(());
    }
    Err(invalid(&format!("`{domain}` is no domain name")))
}

fn check_records(settings: &Settings) -> Verdict {
    check_domain(text_of(settings, "domain"))?;
    if !matches!(settings.get("ttl"), Some(Setting::Number(0..=0x7fff_ffff))) {
        return Err(invalid("`ttl` is a number of seconds"));
    }
    let kind = text_of(settings, "type");
    // Instead of an address, something of the service's own may be named, which has several.
    let own = |value: &str| value.ends_with(&format!(".{DOMAIN}"));
    let fits: &dyn Fn(&str) -> bool = match kind {
        "A" => &|value| value.parse::<Ipv4Addr>().is_ok() || own(value),
        "AAAA" => &|value| value.parse::<Ipv6Addr>().is_ok() || own(value),
        "CNAME" => &|value| check_domain(value).is_ok(),
        "TXT" => &|value| value.len() <= 255,
        _ => return Err(invalid("`type` is one of A, AAAA, CNAME, TXT")),
    };
    if let Some(value) = set_of(settings, "values").find(|value| !fits(value)) {
        return Err(invalid(&format!("`{value}` is no value of a record of type {kind}")));
    }
    if kind == "CNAME" && set_of(settings, "values").count() > 1 {
        return Err(invalid("a CNAME has one value"));
    }
    Ok(())
}

/// Refuses what names something that is not there, as far as `state` shows. What went since it was
/// named does not keep anybody from changing something else.
pub(in super::super) fn check_references(state: &State, wish: &Wish<'_>) -> Verdict {
    let (word, kind) = match wish.input.kind {
        ResourceKind::RecordSet => ("zone", ResourceKind::Zone),
        ResourceKind::FrontEnd => ("certificate", ResourceKind::Certificate),
        _ => return Ok(()),
    };
    let id = text_of(&wish.input.settings, word);
    if wish.before.is_some_and(|before| before.text(word) == id) {
        return Ok(());
    }
    match state.account(wish.account).resource(kind, id) {
        Some(_) => Ok(()),
        None => Err(no_such(word, id)),
    }
}

/// Refuses what others are in the way of.
pub(in super::super) fn check_others(state: &State, wish: &Wish<'_>, moment: &Moment) -> Verdict {
    let resources = &state.account(wish.account).resources;
    let own = wish.before.map(|before| before.id.as_str());
    match resources.of_kind(wish.input.kind, &wish.input.name) {
        Some(other) if own != Some(other.id.as_str()) => {
            return Err(refusal(Code::EntityAlreadyExists, "the name is taken"));
        }
        _ => {}
    }
    match wish.input.kind {
        ResourceKind::RecordSet => check_record_set(state, wish),
        ResourceKind::FrontEnd => {
            check_certificate(state, wish, moment)?;
            check_held_domains(state, wish)
        }
        ResourceKind::Zone | ResourceKind::Certificate | ResourceKind::Server => Ok(()),
    }
}

/// A record set lies in its zone, and is the only one of its name, type and region.
fn check_record_set(state: &State, wish: &Wish<'_>) -> Verdict {
    let settings = &wish.input.settings;
    let account = state.account(wish.account);
    let domain = text_of(settings, "domain").to_lowercase();
    if let Some(zone) = account.resource(ResourceKind::Zone, text_of(settings, "zone")) {
        let apex = zone.text("domain").to_lowercase();
        let below = domain.strip_suffix(&apex);
        if below.is_none_or(|below| !(below.is_empty() || below.ends_with('.'))) {
            return Err(invalid(&format!("`{domain}` is not in the zone `{apex}`")));
        }
    }
    let same = |other: &&Resource| {
        let equal = |word: &str| other.text(word) == text_of(settings, word);
        other.kind == ResourceKind::RecordSet
            && wish.before.is_none_or(|before| before.id != other.id)
            && other.text("domain").to_lowercase() == domain
            && ["zone", "type", "near"].into_iter().all(equal)
    };
    match account.resources.after(None).find(same) {
        Some(other) => {
            let message = format!("the record set `{}` has that name and type", other.name);
            Err(refusal(Code::EntityAlreadyExists, &message))
        }
        None => Ok(()),
    }
}

/// The certificate of a front end is issued and good for its names. What has expired since it was
/// taken does not keep anybody from changing something else.
fn check_certificate(state: &State, wish: &Wish<'_>, moment: &Moment) -> Verdict {
    let settings = &wish.input.settings;
    let kept = |before: &Resource| {
        ["certificate", "domains"]
            .iter()
            .all(|word| before.settings.get(*word) == settings.get(*word))
    };
    let id = text_of(settings, "certificate");
    let found = state.account(wish.account).resource(ResourceKind::Certificate, id);
    let Some(certificate) = found.filter(|_| !wish.before.is_some_and(kept)) else {
        return Ok(());
    };
    if progress(certificate, moment).0 != Progress::Settled {
        return Err(invalid(&format!("the certificate `{}` is not issued", certificate.name)));
    }
    let covered = |domain: &str| certificate.set("domains").any(|name| covers(name, domain));
    match set_of(settings, "domains").find(|domain| !covered(domain)) {
        Some(domain) => {
            let name = &certificate.name;
            Err(invalid(&format!("the certificate `{name}` does not cover `{domain}`")))
        }
        None => Ok(()),
    }
}

/// Whether a name of a certificate covers a domain: the same, or one label in place of the star.
fn covers(name: &str, domain: &str) -> bool {
    let below = |rest: &str| domain.split_once('.').is_some_and(|(_, of)| same(of, rest));
    same(name, domain) || name.strip_prefix("*.").is_some_and(below)
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Of all front ends of the world that are in no region, one has a domain, also while it is
/// disabled.
fn check_held_domains(state: &State, wish: &Wish<'_>) -> Verdict {
    let settings = &wish.input.settings;
    if settings.contains_key("region") {
        return Ok(());
    }
    let own = wish.before.map(|before| before.id.as_str());
    let everywhere = state
        .resources()
        .map(|(_, other)| other)
        .filter(|other| other.kind == ResourceKind::FrontEnd)
        .filter(|other| !other.settings.contains_key("region") && own != Some(other.id.as_str()));
    for other in everywhere {
        let held = |domain: &&str| other.set("domains").any(|held| same(held, domain));
        if let Some(domain) = set_of(settings, "domains").find(held) {
            // Whose it is, is not said: it may be in anybody's account.
            let message = format!("another front end has the domain `{domain}`");
            return Err(refusal(Code::EntityAlreadyExists, &message));
        }
    }
    Ok(())
}

/// Refuses the deletion of what others lean on, and of a front end that still serves.
pub(in super::super) fn check_unused(
    state: &State,
    account: &str,
    resource: &Resource,
    moment: &Moment,
) -> Verdict {
    let leaning = |kind: ResourceKind, word: &'static str| {
        let all = state.account(account).resources.after(None);
        all.filter(move |one| one.kind == kind && one.text(word) == resource.id)
            .map(|one| one.name.clone())
    };
    match resource.kind {
        ResourceKind::Zone => none_of(
            "the record sets of the zone must be deleted first",
            leaning(ResourceKind::RecordSet, "zone"),
        ),
        ResourceKind::Certificate => none_of(
            "front ends use the certificate",
            leaning(ResourceKind::FrontEnd, "certificate"),
        ),
        ResourceKind::FrontEnd if resource.flag("enabled") => {
            Err(refusal(Code::DeleteConflict, "the front end must be disabled first"))
        }
        ResourceKind::FrontEnd if progress(resource, moment).0 != Progress::Settled => {
            Err(refusal(Code::DeleteConflict, "the front end is still being deployed"))
        }
        ResourceKind::FrontEnd | ResourceKind::RecordSet | ResourceKind::Server => Ok(()),
    }
}
