//! What a role of the policies becomes is, once carried out, seen as just that: the next plan is
//! empty.

use std::collections::{BTreeMap, BTreeSet};

use reconcile::cloud::Vendor;
use reconcile::model::{
    AttributeName, AttributeValue, HolderKind, RealisedRole, RoleInputs, Subject, Trust,
};
use reconcile::plan::Step;

use super::fixture::{CenterFixture, HUB, TARGET, account};
use super::steps::{all, apply, make, role, target};

fn realised(
    fixture: &CenterFixture,
    description: &str,
    attributes: &[(&str, AttributeValue)],
) -> RealisedRole {
    let attributes: BTreeMap<AttributeName, AttributeValue> =
        attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    let (hub, target) = (account("hub", HUB), account("target", TARGET));
    let inputs = RoleInputs {
        role: &"operator".into(),
        description,
        attributes: &attributes,
        account: &target,
        hub: &hub,
        trust: Trust::Bound,
    };
    (fixture.vendor.facts().realise)(&inputs)
}

#[tokio::test]
async fn what_is_carried_out_is_what_is_seen() {
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let policies = ["ReadOnlyAccess", "arn:aws:iam::{account}:policy/team/Read"];
    let policies = AttributeValue::Set(policies.map(str::to_owned).into());
    let document = r#"{ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "*" } }"#;
    let boundary = "arn:aws:iam::222222222222:policy/Limit";
    for (description, attributes) in [
        ("", vec![]),
        ("Żółw – runs the show", vec![("session_hours", AttributeValue::Number(8))]),
        (
            "All of it",
            vec![
                ("managed_policies", policies),
                ("inline_policy", text(document)),
                ("boundary", text(boundary)),
            ],
        ),
    ] {
        let fixture = CenterFixture::new();
        let (hub, _) = fixture.connect().await;
        let wanted = realised(&fixture, description, &attributes);
        let id = make(&hub, &role(&wanted.spec)).await;
        let subject: Subject = "role:operator".parse().unwrap();
        for attachment in &wanted.attachments {
            let step = Step::Attach {
                holder_kind: HolderKind::Role,
                holder: target(&id),
                subject: subject.clone(),
                before: None,
                attachment: Box::new(attachment.clone()),
            };
            apply(&hub, &step).await.unwrap();
        }
        let seen = all(&hub).await;
        assert_eq!(seen.roles[0].spec, wanted.spec);
        let attached: BTreeSet<_> =
            seen.attachments.into_iter().map(|held| held.attachment).collect();
        assert_eq!(attached, wanted.attachments);
        assert_eq!(wanted.provider, None);
    }
}

#[test]
fn policies_of_accounts_are_referred_to_by_path_and_name() {
    let fixture = CenterFixture::new();
    let boundary = AttributeValue::Text("arn:aws:iam::222222222222:policy/team/Limit".into());
    let wanted = realised(&fixture, "x", &[("boundary", boundary)]);
    let attachment = wanted.attachments.first().unwrap();
    let expected = Some("arn:aws:iam::{account}:policy/team/Limit");
    assert_eq!(attachment.content.as_deref(), expected);
    assert_eq!(wanted.spec.attributes["session_hours"], AttributeValue::Number(1));
    assert_eq!(wanted.spec.attributes["provisioned"], AttributeValue::Flag(true));
}
