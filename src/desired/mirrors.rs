//! What mirrors are made of: from a dozen lines of the topology to every part there should be.
//!
//! In no vendor's words, for vendors that have exactly these kinds of parts
//! ([`VendorFacts::parts`](crate::model::VendorFacts::parts)).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::inventory::Inventory;
use crate::mirrors::{Delegation, Form, Mirror, RegionName, Size, Topology};
use crate::model::{
    AttributeName, MirrorName, Output, PartName, Place, Reason, ResourceKind, Value, VendorFacts,
};

/// A mirror that should be, or should cease to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredMirror {
    /// Its parts: each refers only to those before it. None of a mirror that is to be taken down.
    pub parts: Vec<DesiredPart>,
    /// The topology says that it is to be taken down.
    pub retired: bool,
    /// What the vendor lacks for it, if anything: then nothing is made and nothing taken down.
    pub lacking: Option<String>,
}

/// A part that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredPart {
    /// Which part.
    pub part: PartName,
    /// What kind of thing.
    pub kind: ResourceKind,
    /// What it should be like.
    pub settings: BTreeMap<AttributeName, Wanted>,
    /// Those settings that cannot be changed: another object takes its place instead.
    pub fixed: &'static [&'static str],
    /// Why.
    pub reasons: Arc<[Reason]>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is known.
    Known(Value),
    /// A vendor makes it up for another part.
    Of {
        /// Which part.
        part: PartName,
        /// What of it.
        output: Output,
        /// The vendor must have finished that part first.
        settled: bool,
        /// It is written as a set of one.
        set: bool,
    },
    /// The same of all these parts that the vendor has finished.
    OfAll {
        /// Which parts.
        parts: Vec<PartName>,
        /// What of each.
        output: Output,
    },
}

/// What the mirrors of a topology are made of, by account.
pub fn mirrors(
    topology: &Topology,
    inventory: &Inventory,
    vendors: &[VendorFacts],
) -> BTreeMap<Place, BTreeMap<MirrorName, DesiredMirror>> {
    let mut all: BTreeMap<Place, BTreeMap<MirrorName, DesiredMirror>> = BTreeMap::new();
    for (name, mirror) in &topology.mirrors {
        let Some(entry) = inventory.accounts.get(&mirror.account) else { continue };
        let facts = vendors.iter().find(|facts| facts.name == entry.account.vendor);
        let lacking = lacking(mirror, facts);
        let retired = mirror.retired || entry.retired;
        let parts = if retired || lacking.is_some() { Vec::new() } else { Draft::of(mirror).parts };
        let wanted = DesiredMirror { parts, retired, lacking };
        all.entry(entry.account.place.clone()).or_default().insert(name.clone(), wanted);
    }
    all
}

fn lacking(mirror: &Mirror, facts: Option<&VendorFacts>) -> Option<String> {
    let has = |kind: &ResourceKind| facts.is_some_and(|facts| facts.parts.contains(kind));
    if !ResourceKind::ALL.iter().all(has) {
        return Some("mirrors are not made at this vendor yet".to_owned());
    }
    (mirror.parent_zone.by != Delegation::Delegation)
        .then(|| "only `by: delegation` is understood by this version".to_owned())
}

/// The parts of one mirror, as they are found.
struct Draft<'a> {
    mirror: &'a Mirror,
    parts: Vec<DesiredPart>,
    reasons: Arc<[Reason]>,
}

/// What a record says for people whose answer may be old: a minute.
const NAME_TTL: i64 = 60;

/// The proof of a certificate's names stays as it is.
const PROOF_TTL: i64 = 300;

impl<'a> Draft<'a> {
    fn of(mirror: &'a Mirror) -> Self {
        let reason = Reason::Mirror { mirror: mirror.name.clone(), source: mirror.source.clone() };
        let mut draft = Self { mirror, parts: Vec::new(), reasons: [reason].into() };
        draft.zone_and_certificate();
        draft.servers();
        match mirror.form {
            Form::Cdn => draft.front_end_everywhere(),
            Form::Regional => draft.front_ends_by_region(),
        }
        draft
    }

    fn zone_and_certificate(&mut self) {
        let domain = self.mirror.public_name.as_str();
        self.push("zone", ResourceKind::Zone, &["domain"], [("domain", text(domain))]);
        let mut domains = BTreeSet::from([domain.to_owned()]);
        if self.mirror.form == Form::Regional {
            domains.extend(self.mirror.regions.keys().map(|region| self.regional_name(region)));
        }
        let domains = Wanted::Known(Value::Set(domains));
        let kind = ResourceKind::Certificate;
        self.push("certificate", kind, &["domains"], [("domains", domains)]);
        let of_certificate =
            |output, set| Wanted::Of { part: "certificate".into(), output, settled: false, set };
        let settings = [
            ("domain", of_certificate(Output::ProofName, false)),
            ("values", of_certificate(Output::ProofValue, true)),
            ("type", text("CNAME")),
            ("ttl", Wanted::Known(Value::Number(PROOF_TTL))),
        ];
        self.record("proof", settings);
    }

    fn servers(&mut self) {
        let mirror = self.mirror;
        for (name, region) in &mirror.regions {
            for number in 1..=region.servers {
                let size = match region.size {
                    Size::Small => "small",
                    Size::Medium => "medium",
                    Size::Large => "large",
                };
                let settings = [
                    ("region", text(name.as_str())),
                    ("size", text(size)),
                    ("image", text(mirror.image.as_str())),
                    ("disk", Wanted::Known(Value::Number(i64::from(mirror.disk_gb)))),
                    ("content", text(&content(mirror))),
                ];
                let fixed = &["region", "size", "image", "disk", "content"];
                self.push(&server(name, number), ResourceKind::Server, fixed, settings);
            }
        }
    }

    fn front_end_everywhere(&mut self) {
        let domain = self.mirror.public_name.as_str();
        let regions = self.mirror.regions.iter();
        let servers = regions
            .flat_map(|(name, region)| (1..=region.servers).map(|number| server(name, number)));
        let servers = servers.map(PartName::from).collect();
        self.front_end("front", &[domain.to_owned()], servers, None);
        let alias = [("domain", text(domain)), ("type", text("A"))];
        self.record("name", alias.into_iter().chain(alias_of("front")));
    }

    fn front_ends_by_region(&mut self) {
        let mirror = self.mirror;
        for (name, region) in &mirror.regions {
            let front = format!("front.{name}");
            let domains = [mirror.public_name.to_string(), self.regional_name(name)];
            let servers = (1..=region.servers).map(|number| server(name, number).into()).collect();
            self.front_end(&front, &domains, servers, Some(name));
            let own = [("domain", text(&self.regional_name(name))), ("type", text("A"))];
            self.record(&format!("own.{name}"), own.into_iter().chain(alias_of(&front)));
            let shared = [
                ("domain", text(mirror.public_name.as_str())),
                ("type", text("A")),
                ("near", text(name.as_str())),
            ];
            self.record(&format!("name.{name}"), shared.into_iter().chain(alias_of(&front)));
        }
    }

    fn front_end(
        &mut self,
        part: &str,
        domains: &[String],
        servers: Vec<PartName>,
        region: Option<&RegionName>,
    ) {
        let certificate = Wanted::Of {
            part: "certificate".into(),
            output: Output::Id,
            settled: true,
            set: false,
        };
        let domains = Value::Set(domains.iter().cloned().collect());
        let settings = [
            ("domains", Wanted::Known(domains)),
            ("certificate", certificate),
            ("origins", Wanted::OfAll { parts: servers, output: Output::Address }),
            ("enabled", Wanted::Known(Value::Flag(true))),
        ];
        let region = region.map(|region| ("region", text(region.as_str())));
        let settings = settings.into_iter().chain(region);
        // One that got other names would not serve those it had, before the new ones lead anywhere.
        self.push(part, ResourceKind::FrontEnd, &["region", "domains"], settings);
    }

    fn record(&mut self, part: &str, settings: impl IntoIterator<Item = (&'static str, Wanted)>) {
        let zone =
            Wanted::Of { part: "zone".into(), output: Output::Id, settled: false, set: false };
        let fixed = &["zone", "domain", "type", "near"];
        let settings = settings.into_iter().chain([("zone", zone)]);
        self.push(part, ResourceKind::RecordSet, fixed, settings);
    }

    fn push(
        &mut self,
        part: &str,
        kind: ResourceKind,
        fixed: &'static [&'static str],
        settings: impl IntoIterator<Item = (&'static str, Wanted)>,
    ) {
        self.parts.push(DesiredPart {
            part: part.into(),
            kind,
            settings: settings.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            fixed,
            reasons: Arc::clone(&self.reasons),
        });
    }

    fn regional_name(&self, region: &RegionName) -> String {
        format!("{region}.{}", self.mirror.public_name)
    }
}

fn server(region: &RegionName, number: u32) -> String {
    format!("server.{region}.{number}")
}

fn text(text: &str) -> Wanted {
    Wanted::Known(Value::Text(text.to_owned()))
}

/// The public name leads to a front end only once that is everywhere.
fn alias_of(front: &str) -> [(&'static str, Wanted); 2] {
    let address =
        Wanted::Of { part: front.into(), output: Output::Address, settled: true, set: true };
    [("values", address), ("ttl", Wanted::Known(Value::Number(NAME_TTL)))]
}

/// A digest of what servers serve: where it changes, other servers take their place.
fn content(mirror: &Mirror) -> String {
    let archive = &mirror.archive;
    let mut hasher = Sha256::new();
    let suites = archive.suites.iter().map(String::as_str);
    let upstream = [archive.upstream.host.as_str(), &archive.upstream.module];
    for text in upstream.into_iter().chain([archive.keyring.as_str()]).chain(suites) {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize())[..16].to_owned()
}
