//! Administrators of an account in which people have no users: who is in a group says another
//! service, and what they hold are role objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use reconcile::cloud::aws::AwsVendor;
use reconcile::cloud::memory::MemoryVendor;
use reconcile::cloud::{CloudError, Connection, Observe, Vendor};
use reconcile::directory::Access;
use reconcile::guard::Rule;
use reconcile::inventory::{SourceTree, load};
use reconcile::model::{
    Credential, HeldAttachment, HolderKind, Observed, ObservedAccount, Ownership, Reading, Site,
    VendorFacts, VendorId,
};
use reconcile::operator::Operator;
use reconcile::plan::Narrowing;
use reconcile::run::{Baseline, Gathered, Past, Prepared, Sources, gather, prepare};

const INVENTORY: &str = "\
organisations:
  spi:
    administrators: {group: admin, minimum: 2}
    accounts:
      hub: {vendor: aws, access: saml, id: \"111111111111\", hub: true,
            settings: {saml_metadata: \"https://login.example.org/metadata\"}}
directories:
  people: {schema: rfc2307, base: \"dc=example,dc=org\", ldif: people.ldif}
grants:
  - {group: admin, role: owner, accounts: [hub], reason: They run it}
  - {group: web, role: reader, accounts: [hub], reason: They look}
";

const POLICIES: &str = "\
roles:
  owner:
    description: May do everything
    privileged: true
    means: {aws: {managed_policies: [AdministratorAccess]}}
  reader:
    description: Looks
    means: {aws: {managed_policies: [ReadOnlyAccess]}}
";

const PEOPLE: &str = "\
dn: cn=admin,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: admin
gidNumber: 1
memberUid: amara
memberUid: bela
memberUid: carol

dn: cn=web,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: web
gidNumber: 2
memberUid: amara
";

fn people() -> String {
    let mut text = PEOPLE.to_owned();
    for (number, login) in (1001..).zip(["amara", "bela", "carol"]) {
        let _ = write!(
            text,
            "\ndn: uid={login},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
             objectClass: posixAccount\nuid: {login}\ncn: {login}\nsn: {login}\n\
             uidNumber: {number}\ngidNumber: 100\nhomeDirectory: /h/{login}\n"
        );
    }
    text
}

/// A vendor in whose account is what it is told.
struct Told {
    memory: MemoryVendor,
    facts: VendorFacts,
    seen: ObservedAccount,
}

#[async_trait]
impl Vendor for Told {
    fn facts(&self) -> &VendorFacts {
        &self.facts
    }

    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError> {
        let connection = self.memory.connect(site).await?;
        Ok(Connection { observe: Arc::new(Seen(self.seen.clone())), ..connection })
    }
}

struct Seen(ObservedAccount);

#[async_trait]
impl Observe for Seen {
    async fn observe(&self) -> Reading<ObservedAccount> {
        Reading::Complete(self.0.clone())
    }

    async fn credentials(&self, _: &[VendorId]) -> Reading<Vec<Credential>> {
        Reading::Complete(Vec::new())
    }
}

async fn planned(inventory: &str, policies: &str, seen: ObservedAccount) -> (Gathered, Prepared) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("people.ldif"), people() + "\n# end\n").expect("a file");
    let facts = AwsVendor::facts().into_iter().find(|facts| facts.access == Some("saml"));
    let facts = facts.expect("a way of access");
    let files = [("inventory/all.yaml", inventory), ("policies/all.yaml", policies)];
    let today = jiff::civil::date(2026, 11, 22);
    let loaded = load(&SourceTree::from_files(files), &AwsVendor::facts(), today);
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
    let vendor: Arc<dyn Vendor> = Arc::new(Told { memory: MemoryVendor::in_memory(), facts, seen });
    let vendors = [vendor];
    let sources = Sources {
        inventory: &loaded.inventory,
        policies: &loaded.policies,
        topology: reconcile::mirrors::Topology::none(),
        vendors: &vendors,
        organisations: BTreeSet::new(),
        access: Access {
            root: folder.path(),
            operator: &Operator::default(),
            environment: &|_| None,
        },
        today,
    };
    let gathered = gather(&sources).await;
    let baseline = Baseline::read(Path::new("/nowhere")).expect("an empty one");
    let everything = Narrowing::default();
    let past = Past::default();
    let prepared = prepare(&sources, &gathered, &baseline, &past, Vec::new(), &everything, None);
    (gathered, prepared)
}

/// An account in which everything is as the inventory wants it.
async fn matched() -> ObservedAccount {
    let (gathered, _) = planned(INVENTORY, POLICIES, ObservedAccount::default()).await;
    let mut seen = ObservedAccount::default();
    for (number, (subject, role)) in
        (0..).zip(gathered.desired.accounts.values().flat_map(|account| &account.roles))
    {
        let id = VendorId::new(format!("id-{number}"));
        seen.attachments.extend(role.attachments.iter().map(|attachment| HeldAttachment {
            holder_kind: HolderKind::Role,
            holder: id.clone(),
            attachment: attachment.clone(),
        }));
        let ownership = Ownership::Ours(subject.clone());
        seen.roles.push(Observed { id, ownership, spec: role.spec.clone() });
    }
    seen
}

fn rules(prepared: &Prepared) -> BTreeSet<Rule> {
    prepared.review.violations.iter().map(|violation| violation.rule).collect()
}

#[tokio::test]
async fn enough_administrators_stay_where_people_have_no_users() {
    let seen = matched().await;
    let (_, nothing) = planned(INVENTORY, POLICIES, seen.clone()).await;
    let plan = nothing.review.approved.plan();
    assert_eq!((&plan.changes[..], &plan.incomplete[..]), (&[][..], &[][..]));
    let dropped = INVENTORY
        .replace("  - {group: admin, role: owner, accounts: [hub], reason: They run it}\n", "");
    let (_, prepared) = planned(&dropped, POLICIES, seen.clone()).await;
    assert_eq!(rules(&prepared), BTreeSet::from([Rule::MinimumAdministrators]));
    let plan = prepared.review.approved.plan();
    assert!(!plan.changes.is_empty());
    assert_eq!(prepared.review.approved.held().len(), plan.changes.len());
    // Naming the readers instead ends no protection.
    let renamed = dropped.replace("{group: admin, minimum", "{group: web, minimum");
    let (_, prepared) = planned(&renamed, POLICIES, seen.clone()).await;
    assert!(rules(&prepared).contains(&Rule::MinimumAdministrators));
    // What others have may go.
    let readers = INVENTORY
        .replace("  - {group: web, role: reader, accounts: [hub], reason: They look}\n", "");
    let (_, prepared) = planned(&readers, POLICIES, seen).await;
    assert_eq!(rules(&prepared), BTreeSet::new());
    assert!(!prepared.review.approved.plan().changes.is_empty());
}

#[tokio::test]
async fn a_role_that_means_less_counts_for_administrators() {
    let seen = matched().await;
    let less = POLICIES.replace("[AdministratorAccess]", "[ReadOnlyAccess]");
    let (_, prepared) = planned(INVENTORY, &less, seen.clone()).await;
    assert_eq!(rules(&prepared), BTreeSet::from([Rule::MinimumAdministrators]));
    let more = POLICIES.replace("[ReadOnlyAccess]", "[ReadOnlyAccess, SecurityAudit]");
    let (_, prepared) = planned(INVENTORY, &more, seen).await;
    assert_eq!(rules(&prepared), BTreeSet::new());
    assert_eq!(prepared.review.approved.plan().changes.len(), 1);
}
