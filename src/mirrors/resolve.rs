//! From what is written to values.

use std::collections::{BTreeMap, BTreeSet};

use super::as_written::{self, MirrorsFile};
use super::{
    Archive, Ceiling, Currency, HostName, Mirror, ParentZone, Region, RegionName, Release,
    Topology, Upstream,
};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::Inventory;
use crate::inventory::known::ReadFile;
use crate::inventory::resolve::{World, groups};
use crate::model::{AccountName, MirrorName, Source, VendorName, is_name};
use crate::yaml::{Field, InFile, List, Named, Position, Written};

/// Makes the topology of all files together.
pub(crate) fn topology(
    files: &[ReadFile<MirrorsFile>],
    world: World<'_>,
    inventory: &Inventory,
    findings: &mut Findings,
) -> Topology {
    let mut topology = Topology::default();
    for file in files {
        let at = InFile(&file.path);
        for (name, written) in file.content.mirrors.given().iter().flat_map(|s| &s.value.0) {
            let is_definition = world.known.mirrors.is_definition(&name.value, &at.source(name.at));
            let Some(written) = written.given().filter(|_| is_definition) else { continue };
            let mut one = One { at, item: name.at, world, inventory, findings };
            if let Some(mirror) = one.mirror(&name.value, &written.value) {
                topology.mirrors.insert(mirror.name.clone(), mirror);
            }
        }
    }
    names_taken(&topology, findings);
    topology
}

/// No two mirrors have one public name.
fn names_taken(topology: &Topology, findings: &mut Findings) {
    let mut first: BTreeMap<&HostName, &Mirror> = BTreeMap::new();
    let mut mirrors: Vec<&Mirror> = topology.mirrors.values().collect();
    mirrors.sort_by(|one, other| one.source.cmp(&other.source));
    for mirror in mirrors {
        let taken = *first.entry(&mirror.public_name).or_insert(mirror);
        if taken.name != mirror.name {
            let message = format!("`{}` has the public name `{}`", taken.name, mirror.public_name);
            findings.push(
                Finding::error("name-taken", message)
                    .at(&mirror.source)
                    .hint(format!("that mirror is in {}", taken.source)),
            );
        }
    }
}

/// The way of one mirror.
struct One<'a, 'f> {
    at: InFile<'a>,
    /// Where its name is.
    item: Position,
    world: World<'a>,
    inventory: &'a Inventory,
    findings: &'f mut Findings,
}

/// Most servers in a region.
const MOST_SERVERS: u32 = 50;
/// Longest time that what is served may be behind: a month.
const LONGEST_HOURS: u32 = 31 * 24;
/// Smallest and largest disk, in GB.
const DISKS: (u32, u32) = (10, 65_536);

impl One<'_, '_> {
    /// Everything is looked at before anything that lacks makes it no mirror.
    fn mirror(&mut self, name: &str, written: &as_written::Mirror) -> Option<Mirror> {
        let (at, item) = (self.at, self.item);
        let account = self.account(&written.account);
        let form = at.required(&written.form, "form", item, self.findings).map(|form| form.value);
        let archive = at.required(&written.archive, "archive", item, self.findings);
        let archive = archive.and_then(|archive| self.archive(archive));
        let regions = at.required(&written.regions, "regions", item, self.findings);
        let regions = regions.and_then(|regions| self.regions(regions));
        let vendor = account.as_ref().and_then(|account| self.vendor(account));
        let parent_zone = at.required(&written.parent_zone, "parent_zone", item, self.findings);
        let parent_zone = parent_zone.and_then(|zone| self.parent_zone(zone));
        let public_name = self.public_name(&written.name, vendor.as_ref(), parent_zone.as_ref());
        let authority = written.certificate.given().and_then(|section| section.value.by.given());
        let image = self.image(&written.image);
        let disk_gb = self.number(&written.disk_gb, "disk_gb", item, DISKS);
        let operators =
            groups::required(&written.operators, "operators", item, at, self.world, self.findings);
        let ceiling = at.required(&written.ceiling, "ceiling", item, self.findings);
        let ceiling = ceiling.and_then(|ceiling| self.ceiling(ceiling));
        Some(Mirror {
            name: MirrorName::from(name),
            account: account?,
            form: form?,
            archive: archive?,
            regions: regions?,
            public_name: public_name?,
            parent_zone: parent_zone?,
            certificate: authority.map(|by| by.value).unwrap_or_default(),
            image: image?,
            disk_gb: disk_gb?,
            operators: operators?,
            ceiling: ceiling?,
            retired: written.retired.given().is_some_and(|retired| retired.value),
            source: at.source(item),
        })
    }

    fn source(&self, at: Position) -> Source {
        self.at.source(at)
    }

    fn error(&mut self, code: &str, message: String, at: Position, hint: &str) {
        let source = self.source(at);
        self.findings.push(Finding::error(code, message).at(&source).hint(hint));
    }

    /// The account. One that has mistakes of its own was reported with those.
    fn account(&mut self, field: &Field<String>) -> Option<AccountName> {
        let written = self.at.required(field, "account", self.item, self.findings)?;
        self.world.known.accounts.look_up("account", written, self.at, self.findings)?;
        let name = AccountName::from(written.value.as_str());
        self.inventory.accounts.contains_key(&name).then_some(name)
    }

    /// The vendor of an account, as the inventory calls it.
    fn vendor(&self, account: &AccountName) -> Option<VendorName> {
        let vendor = &self.inventory.accounts.get(account)?.account.vendor;
        let facts = self.world.vendors.iter().find(|facts| facts.name == *vendor)?;
        Some(facts.family.clone())
    }

    fn archive(&mut self, written: &Written<as_written::Archive>) -> Option<Archive> {
        let (at, section) = (self.at, written.at);
        let written = &written.value;
        let upstream = at.required(&written.upstream, "upstream", section, self.findings);
        let upstream = upstream.and_then(|upstream| self.upstream(upstream));
        let suites = at.required(&written.suites, "suites", section, self.findings);
        let suites = suites.and_then(|suites| self.suites(suites));
        let keyring = at.required(&written.keyring, "keyring", section, self.findings);
        let keyring = keyring.and_then(|keyring| self.keyring(keyring));
        let fresh_hours =
            self.number(&written.fresh_hours, "fresh_hours", section, (1, LONGEST_HOURS));
        Some(Archive {
            upstream: upstream?,
            suites: suites?,
            keyring: keyring?,
            fresh_hours: fresh_hours?,
        })
    }

    fn upstream(&mut self, written: &Written<as_written::Upstream>) -> Option<Upstream> {
        let (at, section) = (self.at, written.at);
        let host = at.required(&written.value.host, "host", section, self.findings);
        let host = host.and_then(|host| self.host_name(&host.value, host));
        let module = at.required(&written.value.module, "module", section, self.findings)?;
        // It becomes part of a command line on the servers.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let text = &module.value;
        if text.is_empty() || text.starts_with(['-', '.']) || !text.bytes().all(plain) {
            let message = format!("`{text}` is not a module of rsync");
            self.error("bad-module", message, module.at, "write its name alone, such as `debian`");
            return None;
        }
        Some(Upstream { host: host?, module: text.clone() })
    }

    fn suites(&mut self, written: &Written<List<String>>) -> Option<BTreeSet<String>> {
        let mut suites = BTreeSet::new();
        let mut all = true;
        for suite in &written.value.0 {
            let text = &suite.value;
            if !is_suite(text) {
                let message = format!("`{text}` is not a suite");
                let hint = "write it as the archive does: `trixie-updates`, `bookworm/updates`";
                self.error("bad-suite", message, suite.at, hint);
                all = false;
            } else if !suites.insert(text.clone()) {
                let message = format!("`{text}` is here twice");
                self.error("duplicate-value", message, suite.at, "once is enough");
                all = false;
            }
        }
        if written.value.0.is_empty() {
            let message = "there is no suite".to_owned();
            self.error("nothing-to-serve", message, written.at, "name at least one");
        }
        (all && !suites.is_empty()).then_some(suites)
    }

    fn keyring(&mut self, written: &Written<String>) -> Option<String> {
        let path = written.value.as_str();
        let files = self.world.files;
        if is_keyring(path) && files.contains_key(path) {
            return Some(path.to_owned());
        }
        let known = files.keys().map(String::as_str).filter(|path| is_keyring(path));
        let source = self.source(written.at);
        self.findings.unknown("keyring", path, known, &source);
        None
    }

    fn regions(
        &mut self,
        written: &Written<Named<as_written::Region>>,
    ) -> Option<BTreeMap<RegionName, Region>> {
        let mut regions = BTreeMap::new();
        let mut all = true;
        for (name, region) in &written.value.0 {
            if !is_name(&name.value) {
                let message = format!("`{}` cannot be the name of a region", name.value);
                let hint = "write lower-case letters, digits, `-`, `_` and `.`";
                self.error("bad-name", message, name.at, hint);
                all = false;
                continue;
            }
            match region.given().and_then(|region| self.region(name.at, &region.value)) {
                Some(region) => {
                    regions.insert(RegionName::new(&name.value), region);
                }
                None => all = false,
            }
        }
        if written.value.0.is_empty() {
            let message = "the mirror is in no region".to_owned();
            self.error("no-region", message, written.at, "name at least one");
            return None;
        }
        all.then_some(regions)
    }

    fn region(&mut self, name: Position, written: &as_written::Region) -> Option<Region> {
        let servers = self.number(&written.servers, "servers", name, (1, MOST_SERVERS));
        let size = self.at.required(&written.size, "size", name, self.findings);
        Some(Region { servers: servers?, size: size?.value, source: self.source(name) })
    }

    fn parent_zone(&mut self, written: &Written<as_written::ParentZone>) -> Option<ParentZone> {
        let (at, section) = (self.at, written.at);
        let name = at.required(&written.value.name, "name", section, self.findings);
        let name = name.and_then(|name| self.host_name(&name.value, name));
        let by = at.required(&written.value.by, "by", section, self.findings);
        Some(ParentZone { name: name?, by: by?.value })
    }

    fn public_name(
        &mut self,
        field: &Field<String>,
        vendor: Option<&VendorName>,
        parent: Option<&ParentZone>,
    ) -> Option<HostName> {
        let written = self.at.required(field, "name", self.item, self.findings)?;
        // Where the vendor is not known, which was reported, any will do to see the rest.
        let text = written.value.replace(VENDOR, vendor.map_or("vendor", VendorName::as_str));
        if text.contains("${") {
            let message =
                format!("`{}` has something in it that stands for nothing", written.value);
            let hint = "only `${vendor}` stands for something: the vendor of the account";
            self.error("unknown-placeholder", message, written.at, hint);
            return None;
        }
        let name = self.host_name(&text, written)?;
        if let Some(parent) = parent.filter(|parent| !name.is_below(&parent.name)) {
            let (name, zone) = (&written.value, &parent.name);
            let message = format!("`{name}` is not below the parent zone `{zone}`");
            let hint = "the public name is one of the zone's, and not the zone itself";
            self.error("not-in-zone", message, written.at, hint);
            return None;
        }
        vendor.map(|_| name)
    }

    fn host_name(&mut self, text: &str, written: &Written<String>) -> Option<HostName> {
        match HostName::new(text) {
            Ok(name) => Some(name),
            Err(why) => {
                let hint = "write it as it is looked up: `mirror.example.org`";
                self.error("bad-host-name", format!("`{}` {why}", written.value), written.at, hint);
                None
            }
        }
    }

    fn image(&mut self, field: &Field<String>) -> Option<Release> {
        let written = self.at.required(field, "image", self.item, self.findings)?;
        if is_release(&written.value) {
            return Some(Release::new(&written.value));
        }
        let message = format!("`{}` is not a release", written.value);
        let hint = "write distribution and number, such as `debian-13`; the vendor's facts say \
                    which image that is";
        self.error("bad-image", message, written.at, hint);
        None
    }

    fn ceiling(&mut self, written: &Written<as_written::Ceiling>) -> Option<Ceiling> {
        let (at, section) = (self.at, written.at);
        let amount = self.number(&written.value.amount, "amount", section, (1, u32::MAX));
        let currency = at.required(&written.value.currency, "currency", section, self.findings)?;
        let text = currency.value.as_str();
        if text.len() != 3 || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let message = format!("`{text}` is not a currency");
            self.error("bad-currency", message, currency.at, "write its three letters, as `EUR`");
            return None;
        }
        Some(Ceiling { amount: amount?, currency: Currency::new(text) })
    }

    /// A required number within bounds.
    fn number(
        &mut self,
        field: &Field<u32>,
        key: &str,
        item: Position,
        (least, most): (u32, u32),
    ) -> Option<u32> {
        let written = self.at.required(field, key, item, self.findings)?;
        if (least..=most).contains(&written.value) {
            return Some(written.value);
        }
        let message = format!("`{key}` is {}", written.value);
        let hint = match most {
            u32::MAX => format!("at least {least}"),
            _ => format!("from {least} to {most}"),
        };
        self.error("out-of-range", message, written.at, &hint);
        None
    }
}

/// What stands for the vendor of the account in a public name.
const VENDOR: &str = "${vendor}";

/// Whether a text can be a suite of an archive: it becomes part of paths and command lines.
fn is_suite(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~".contains(&byte);
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(plain)
    };
    text.len() <= 100 && text.split('/').all(part)
}

/// Whether a path is that of a keyring.
fn is_keyring(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    path.starts_with("mirrors/") && matches!(ending, "asc" | "gpg" | "pgp")
}

/// Whether a text is a release of a distribution: `debian-13`, `ubuntu-26.04`.
fn is_release(text: &str) -> bool {
    let Some((name, number)) = text.split_once('-') else { return false };
    let digits = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase())
        && number.split('.').count() <= 2
        && number.split('.').all(digits)
}
