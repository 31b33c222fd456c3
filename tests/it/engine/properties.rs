//! What holds for every world, whatever was before.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use reconcile::apply::Options;
use reconcile::diagnostic::Severity;
use reconcile::model::{Kind, Missing, ObservedAccount, Reading};
use reconcile::plan::{Effect, Narrowing, Observations, Plan, Step, lint, narrow};

use super::meddling::meddle;
use super::oracle;
use super::proof::{Lost, removals, unproven};
use super::run::{Cloud, on_a_fast_clock, story};
use super::world::{Given, Model};

/// A world with a past: made to match an earlier state of the model, then changed on both sides.
async fn world_with_a_past(rng: &mut Rng) -> (Cloud, Model) {
    let mut model = Model::random(rng);
    let cloud = Cloud::new();
    meddle(rng, &cloud.world, &model);
    cloud.run(&model.given(), Options::default()).await;
    meddle(rng, &cloud.world, &model);
    model.evolve(rng);
    (cloud, model)
}

/// Checks something for many seeds, and names the seed of the first that fails.
fn for_seeds(seeds: std::ops::Range<u64>, check: impl Fn(&mut Rng) -> Result<(), String>) {
    for seed in seeds {
        if let Err(wrong) = check(&mut Rng::with_seed(seed)) {
            panic!("seed {seed}: {wrong}");
        }
    }
}

#[test]
fn a_second_run_has_nothing_to_do_and_what_was_wanted_is_there() {
    for_seeds(0..600, |rng| {
        on_a_fast_clock(async {
            let (cloud, model) = world_with_a_past(rng).await;
            let given = model.given();
            let before = cloud.dump();
            let first = cloud.run(&given, Options::default()).await;
            let flaws = lint(&first.plan);
            let after = cloud.dump();
            let touched = oracle::touched(&model, &before, &after, true);
            let mut again = cloud.dry_run(&model).await;
            let explained = first.plan.findings.iter().any(|one| one.severity == Severity::Error);
            if explained && !again.changes.is_empty() {
                // What stood in the way may have gone by the first run's own doing.
                cloud.run(&given, Options::default()).await;
                again = cloud.dry_run(&model).await;
            }
            let wrong = oracle::wrong(&model, &cloud.dump(), &again.findings);
            if flaws.is_empty()
                && touched.is_empty()
                && again.changes.is_empty()
                && wrong.is_empty()
            {
                return Ok(());
            }
            Err(format!(
                "flaws {flaws:?}\ntouched {touched:?}\nwrong {wrong:#?}\nfirst\n{}\noutcomes {:#?}\nagain\n{}\n{model:#?}",
                story(&first.plan),
                first.outcomes.by_change,
                story(&again),
            ))
        })
    });
}

#[test]
fn plans_are_the_same_bytes_whatever_the_order_of_lists() {
    for_seeds(10_000..10_200, |rng| {
        on_a_fast_clock(async {
            let (cloud, model) = world_with_a_past(rng).await;
            let mut given = model.given();
            let connections = cloud.connect(&given).await;
            let desired = cloud.desired(&given);
            let mut observed = cloud.observe(&given, &desired, &connections).await;
            let first = bytes(&cloud.plan(&given, &observed));
            for round in 0..10 {
                if round > 0 {
                    shuffle(rng, &mut given, &mut observed);
                }
                let other = bytes(&cloud.plan(&given, &observed));
                if other != first {
                    return Err(format!("round {round}:\n{first}\n{other}"));
                }
            }
            Ok(())
        })
    });
}

fn bytes(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan is JSON")
}

fn shuffle(rng: &mut Rng, given: &mut Given, observed: &mut Observations) {
    for reading in given.directories.values_mut() {
        edit(reading, |directory| rng.shuffle(&mut directory.people));
    }
    for reading in observed.accounts.values_mut() {
        edit(reading, |account| {
            rng.shuffle(&mut account.users);
            rng.shuffle(&mut account.groups);
            rng.shuffle(&mut account.roles);
            rng.shuffle(&mut account.memberships);
            rng.shuffle(&mut account.bindings);
        });
    }
    for reading in observed.credentials.values_mut().flat_map(BTreeMap::values_mut) {
        edit(reading, |credentials| rng.shuffle(credentials));
    }
}

/// Changes what a reading got.
fn edit<T: Clone>(reading: &mut Reading<T>, change: impl FnOnce(&mut T)) {
    *reading = reading.clone().map(|mut got| {
        change(&mut got);
        got
    });
}

/// Makes a reading incomplete.
fn spoil<T: Clone>(reading: &mut Reading<T>) {
    let (got, _) = reading.clone().into_parts();
    *reading = Reading::partial(got, Missing::new("something", "was not read"));
}

#[test]
fn nothing_is_removed_that_was_not_proven_and_additions_go_on() {
    for_seeds(20_000..20_600, |rng| {
        on_a_fast_clock(async {
            let (cloud, model) = world_with_a_past(rng).await;
            let mut given = model.given();
            let connections = cloud.connect(&given).await;
            let desired = cloud.desired(&given);
            let mut observed = cloud.observe(&given, &desired, &connections).await;
            let whole = cloud.plan(&given, &observed);
            let only_said = rng.bool();
            let lost = lose_something(rng, &mut given, &mut observed, only_said);
            let partial = cloud.plan(&given, &observed);
            let mut wrong = unproven(&partial, &lost);
            let proven: Vec<_> = removals(&whole).collect();
            let more = removals(&partial).filter(|removal| !proven.contains(removal));
            wrong.extend(more.map(|more| format!("not if all had been read: {more:?}")));
            if only_said {
                wrong.extend(missing_additions(&partial, &whole));
            }
            if !lint(&partial).is_empty() {
                wrong.push(format!("{:?}", lint(&partial)));
            }
            if wrong.is_empty() {
                return Ok(());
            }
            Err(format!(
                "{wrong:#?}\nlost {lost:?}\nwhole\n{}\npartial\n{}",
                story(&whole),
                story(&partial)
            ))
        })
    });
}

/// Makes some readings incomplete. If `only_said`, in truth nothing is missing.
fn lose_something(
    rng: &mut Rng,
    given: &mut Given,
    observed: &mut Observations,
    only_said: bool,
) -> Lost {
    for reading in given.directories.values_mut() {
        if rng.bool() {
            continue;
        }
        spoil(reading);
        if !only_said {
            edit(reading, |directory| {
                directory.people.retain(|_| rng.bool());
                for person in &mut directory.people {
                    person.groups.retain(|_| rng.u8(..4) > 0);
                }
            });
        }
    }
    for reading in observed.accounts.values_mut() {
        if rng.u8(..3) > 0 {
            continue;
        }
        spoil(reading);
        if only_said {
            edit(reading, |account| account.listed = Kind::PEOPLE.into());
        } else {
            edit(reading, |account| lose_lists(rng, account));
        }
    }
    for reading in observed.credentials.values_mut().flat_map(BTreeMap::values_mut) {
        if rng.u8(..3) > 0 {
            continue;
        }
        spoil(reading);
        if !only_said {
            edit(reading, |credentials| credentials.retain(|_| rng.bool()));
        }
    }
    Lost::of(given, observed)
}

/// Cuts some of an account's lists, or all of them; each says so of itself.
fn lose_lists(rng: &mut Rng, account: &mut ObservedAccount) {
    let all = rng.bool();
    account.listed = Kind::PEOPLE.into_iter().filter(|_| !all && rng.u8(..3) > 0).collect();
    for kind in Kind::PEOPLE.into_iter().filter(|kind| !account.listed.contains(kind)) {
        match kind {
            Kind::User => account.users.retain(|_| rng.bool()),
            Kind::Group => account.groups.retain(|_| rng.u8(..4) > 0),
            Kind::Role => account.roles.retain(|_| rng.u8(..4) > 0),
            Kind::Membership => account.memberships.retain(|_| rng.bool()),
            Kind::Binding => account.bindings.retain(|_| rng.bool()),
            Kind::Attachment => account.attachments.retain(|_| rng.bool()),
            Kind::Credential | Kind::Resource(_) => {}
        }
    }
}

/// Additions that do not wait for a removal go on, if all that is missing is the certainty that
/// nothing is.
fn missing_additions(partial: &Plan, whole: &Plan) -> Vec<String> {
    let waits: BTreeSet<_> = {
        let removal: BTreeSet<_> = whole.removals().map(|change| change.id).collect();
        let mut waits = BTreeSet::new();
        for change in &whole.changes {
            if change.needs.iter().any(|need| removal.contains(need) || waits.contains(need)) {
                waits.insert(change.id);
            }
        }
        waits
    };
    let found: BTreeSet<String> = additions(partial).map(|(_, text)| text).collect();
    additions(whole)
        .filter(|(id, text)| !waits.contains(id) && !found.contains(text))
        .map(|(_, text)| format!("no longer added: {text}"))
        .collect()
}

/// Additions, written without the numbers of the plan.
fn additions(plan: &Plan) -> impl Iterator<Item = (reconcile::model::ChangeId, String)> {
    plan.changes.iter().filter(|change| change.step.effect() == Effect::Addition).map(|change| {
        let text = match &change.step {
            Step::AddMember { group, user, .. } => format!("{} joins {}", user.name, group.name),
            Step::BindRole { role, group } => format!("{} gets {}", group.name, role.name),
            step => format!("{step:?}"),
        };
        (change.id, format!("{} {text}", change.place))
    })
}

#[test]
fn a_narrowed_plan_is_a_sound_part_of_the_whole() {
    for_seeds(30_000..30_300, |rng| {
        on_a_fast_clock(async {
            let (cloud, model) = world_with_a_past(rng).await;
            let whole = cloud.dry_run(&model).await;
            let narrowing = Narrowing {
                kinds: Kind::PEOPLE.into_iter().filter(|_| rng.bool()).collect(),
                organisations: rng.bool().then(|| "spi".into()).into_iter().collect(),
                accounts: model
                    .accounts
                    .keys()
                    .filter(|_| rng.u8(..3) == 0)
                    .map(|name| name.as_str().into())
                    .collect(),
            };
            let (part, left_out) = narrow(whole.clone(), &narrowing);
            let wanted = |change: &&reconcile::plan::Change| {
                let kinds = &narrowing.kinds;
                let organisations = &narrowing.organisations;
                let accounts = &narrowing.accounts;
                (kinds.is_empty() || kinds.contains(&change.step.kind()))
                    && (organisations.is_empty()
                        || organisations.contains(&change.place.organisation))
                    && (accounts.is_empty() || accounts.contains(&change.place.account))
            };
            let asked = whole.changes.iter().filter(wanted).count();
            let mut wrong: Vec<String> = lint(&part).iter().map(ToString::to_string).collect();
            if !part.changes.iter().all(|change| wanted(&change)) {
                wrong.push("it has changes nobody asked for".to_owned());
            }
            if part.changes.len() + left_out != asked {
                wrong.push(format!("{} + {left_out} of {asked}", part.changes.len()));
            }
            // The same steps, numbers aside, in the same order.
            let texts = |plan: &Plan| -> Vec<String> {
                plan.changes
                    .iter()
                    .map(|change| {
                        format!("{} {} {}", change.place, change.step.verb(), change.step.object())
                    })
                    .collect()
            };
            let mut all = texts(&whole).into_iter();
            if !texts(&part).iter().all(|text| all.any(|other| other == *text)) {
                wrong.push("it is not a part of the whole".to_owned());
            }
            if wrong.is_empty() {
                return Ok(());
            }
            Err(format!("{wrong:?}\n{narrowing:?}\n{}\n{}", story(&whole), story(&part)))
        })
    });
}
