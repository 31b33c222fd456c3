//! From what is written to values.

use std::collections::BTreeMap;

use super::as_written::{self, PoliciesFile};
use super::{Limit, LimitOf, Limits, Policies, Protected, Role};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::known::ReadFile;
use crate::inventory::resolve::World;
use crate::model::{Kind, OrganisationName, RoleName, Source, VendorName};
use crate::policies::attribute::{self, AttributeAsWritten, Attributes};
use crate::yaml::{Field, InFile, Named, Written};

/// Makes the policies of all files together.
pub(crate) fn policies(
    files: &[ReadFile<PoliciesFile>],
    world: World<'_>,
    findings: &mut Findings,
) -> Policies {
    let mut policies = Policies::default();
    for file in files {
        roles(file, world, findings, &mut policies.roles);
        protected(file, world, findings, &mut policies.protected);
        super::rights::resolve(file, world, findings, &mut policies.rights);
        super::sinks::resolve(file, world, findings, &mut policies.sinks);
    }
    if let Some((at, section)) = once(files, "limits", |file| &file.limits, findings) {
        limits(&section.value, at, world, findings, &mut policies);
    }
    if let Some((at, days)) = once(files, "grace_days", |file| &file.grace_days, findings) {
        policies.grace_days = days.value;
        policies.sources.grace_days = Some(at.source(days.at));
    }
    let key = once(files, "privileged_needs_key", |file| &file.privileged_needs_key, findings);
    if let Some((at, needs_key)) = key {
        policies.privileged_needs_key = needs_key.value;
        policies.sources.privileged_needs_key = Some(at.source(needs_key.at));
    }
    let active =
        once(files, "privileged_needs_active", |file| &file.privileged_needs_active, findings);
    if let Some((at, needs_active)) = active {
        policies.privileged_needs_active = needs_active.value;
        policies.sources.privileged_needs_active = Some(at.source(needs_active.at));
    }
    if let Some((at, hours)) =
        once(files, "plan_valid_hours", |file| &file.plan_valid_hours, findings)
    {
        if hours.value == 0 {
            findings.push(
                Finding::error("zero", "a plan that is never valid cannot be applied")
                    .at(&at.source(hours.at)),
            );
        }
        policies.plan_valid_hours = hours.value;
        policies.sources.plan_valid_hours = Some(at.source(hours.at));
    }
    policies
}

/// A setting that only one file may have.
fn once<'a, T>(
    files: &'a [ReadFile<PoliciesFile>],
    key: &str,
    of: impl Fn(&'a PoliciesFile) -> &'a Field<T>,
    findings: &mut Findings,
) -> Option<(InFile<'a>, &'a Written<T>)> {
    let mut given =
        files.iter().filter_map(|file| Some((InFile(&file.path), of(&file.content).given()?)));
    let first = given.next()?;
    for (at, second) in given {
        findings.push(
            Finding::error("duplicate-setting", format!("`{key}` is in two files"))
                .at(&at.source(second.at))
                .hint(format!("the first is in {}", first.0.source(first.1.at))),
        );
    }
    Some(first)
}

fn roles(
    file: &ReadFile<PoliciesFile>,
    world: World<'_>,
    findings: &mut Findings,
    into: &mut BTreeMap<RoleName, Role>,
) {
    let at = InFile(&file.path);
    for (name, written) in file.content.roles.given().iter().flat_map(|s| &s.value.0) {
        let source = at.source(name.at);
        let Some(written) =
            written.given().filter(|_| world.known.roles.is_definition(&name.value, &source))
        else {
            continue;
        };
        let description = at.words(&written.value.description, "description", name.at, findings);
        let means = at
            .required(&written.value.means, "means", name.at, findings)
            .map(|means| meanings(&means.value, at, world, findings))
            .unwrap_or_default();
        let name = RoleName::from(name.value.as_str());
        let role = Role {
            name: name.clone(),
            description: description.unwrap_or_default(),
            privileged: written.value.privileged.given().is_some_and(|flag| flag.value),
            means,
            source,
        };
        into.insert(name, role);
    }
}

fn meanings(
    means: &Named<Named<AttributeAsWritten>>,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> BTreeMap<VendorName, Attributes> {
    let mut all = BTreeMap::new();
    for (name, attributes) in &means.0 {
        let Some(vendor) = world.vendor(&name.value) else {
            findings.unknown("vendor", &name.value, world.families(), &at.source(name.at));
            continue;
        };
        let good = match attributes.given() {
            Some(attributes) => attribute::resolve(
                &attributes.value,
                name.at,
                &attribute::Table {
                    what: "role attribute",
                    vendor: vendor.family.as_str(),
                    facts: vendor.role_attributes,
                    files: world.files,
                },
                at,
                findings,
            ),
            // It has a meaning, though an unreadable one: grants of it are not wrong.
            None => Attributes::new(),
        };
        all.insert(vendor.family.clone(), good);
    }
    all
}

fn limits(
    section: &as_written::LimitsSection,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
    policies: &mut Policies,
) {
    if let Some(default) = section.default.given() {
        policies.limits = changed(&policies.limits, &default.value, at, findings);
        let written = sources(&default.value, at).map(|(kind, source)| ((None, kind), source));
        policies.sources.limits.extend(written);
    }
    for (name, written) in section.per_organisation.given().iter().flat_map(|s| &s.value.0) {
        let known = world.known.organisations.look_up("organisation", name, at, findings).is_some();
        if let Some(written) = written.given() {
            let limits = changed(&policies.limits, &written.value, at, findings);
            if known {
                let name = OrganisationName::from(name.value.as_str());
                let written = sources(&written.value, at);
                let written = written.map(|(kind, source)| ((Some(name.clone()), kind), source));
                policies.sources.limits.extend(written);
                policies.organisation_limits.insert(name, limits);
            }
        }
    }
}

/// Limits with what is written put in place of what is not.
fn changed(
    base: &Limits,
    written: &as_written::Limits,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Limits {
    let mut limits = base.clone();
    for kind in Kind::ALL {
        let field = limit_of(written, kind);
        if let (Some(limit), Some(field)) = (limits.kinds.get_mut(&kind), field.given()) {
            *limit = changed_limit(*limit, &field.value, at, findings);
        }
    }
    if let Some(field) = written.access.given() {
        limits.access = changed_limit(limits.access, &field.value, at, findings);
    }
    if let Some(field) = written.directory.given() {
        limits.directory = changed_limit(limits.directory, &field.value, at, findings);
    }
    limits
}

fn limit_of(written: &as_written::Limits, kind: Kind) -> &Field<as_written::Limit> {
    match kind {
        Kind::User | Kind::Credential => &written.users,
        Kind::Group => &written.groups,
        Kind::Membership => &written.memberships,
        Kind::Role => &written.roles,
        Kind::Binding => &written.bindings,
        Kind::Attachment => &written.attachments,
        Kind::Resource(_) => &written.mirrors,
    }
}

/// Where each limit is written.
fn sources<'a>(
    written: &'a as_written::Limits,
    at: InFile<'a>,
) -> impl Iterator<Item = (LimitOf, Source)> + 'a {
    LimitOf::all().filter_map(move |of| {
        let field = match of {
            LimitOf::Kind(kind) => limit_of(written, kind),
            LimitOf::Access => &written.access,
            LimitOf::Directory => &written.directory,
        };
        Some((of, at.source(field.given()?.at)))
    })
}

fn changed_limit(
    base: Limit,
    written: &as_written::Limit,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Limit {
    if let Some(percent) = written.percent.given().filter(|percent| percent.value > 100) {
        findings.push(
            Finding::error("percent", format!("{} of a hundred is too many", percent.value))
                .at(&at.source(percent.at))
                .hint("write a number from 0 to 100"),
        );
    }
    let or = |field: &Field<u32>, base| field.given().map_or(base, |number| number.value);
    Limit {
        count: or(&written.count, base.count),
        percent: or(&written.percent, base.percent).min(100),
        floor: or(&written.floor, base.floor),
    }
}

fn protected(
    file: &ReadFile<PoliciesFile>,
    world: World<'_>,
    findings: &mut Findings,
    into: &mut Vec<Protected>,
) {
    let at = InFile(&file.path);
    for written in file.content.protected.given().iter().flat_map(|list| &list.value.0) {
        let (entry, item) = (&written.value, written.at);
        let user = at.words(&entry.user, "user", item, findings);
        let reason = at.words(&entry.reason, "reason", item, findings);
        let account = entry.account.given().and_then(|account| {
            world.known.accounts.look_up("account", account, at, findings)?;
            Some(account.value.as_str().into())
        });
        let Some(user) = user else { continue };
        let source: Source = at.source(item);
        into.push(Protected {
            user: user.as_str().into(),
            // A name nobody knows protects everywhere rather than nowhere.
            account,
            break_glass: entry.break_glass.given().is_some_and(|flag| flag.value),
            reason: reason.unwrap_or_default(),
            source,
        });
    }
}
