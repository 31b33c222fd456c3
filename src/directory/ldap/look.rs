//! A second look at what a reading brought and does not fit together.

use super::connection::Connection;
use super::failure::Failure;
use super::page;
use crate::directory::filter::Filter;
use crate::directory::schema::Looked;

/// Looks at one entry that should be a person and was not among them.
pub(super) async fn entry(
    connection: &mut Connection,
    dn: &str,
    people: &Filter,
) -> Result<Looked, Failure> {
    let attributes: Vec<String> = people.attributes().into_iter().map(str::to_owned).collect();
    match page::read_entry(connection, dn, &attributes).await {
        // The search should have brought it, and did not.
        Ok(Some(entry)) if people.matches(&entry) => Ok(Looked::Refused),
        Ok(Some(_)) => Ok(Looked::NoPerson),
        // Visible is not the same as readable: no entry, and no word that there is none.
        Ok(None) => Ok(Looked::Refused),
        Err(Failure::Code { outcome, .. }) => match outcome.code {
            // No such object; not a name this server could have.
            32 | 34 => Ok(Looked::NotThere),
            _ => Ok(Looked::Refused),
        },
        Err(Failure::Referral { .. }) => Ok(Looked::NotThere),
        Err(failure) => Err(failure),
    }
}

/// Classes of groups that may lack members by the server's own schema, although the standard makes
/// them mandatory (389 Directory Server lets them). Where the schema cannot be read, the standard
/// holds.
pub(super) async fn lax_classes(connection: &mut Connection) -> Vec<&'static str> {
    let named = |name: &str| [name.to_owned()];
    let root = page::read_entry(connection, "", &named("subschemaSubentry")).await;
    let Ok(Some(root)) = root else { return Vec::new() };
    let Some(place) = root.text("subschemaSubentry") else { return Vec::new() };
    let Ok(Some(schema)) = page::read_entry(connection, place, &named("objectClasses")).await
    else {
        return Vec::new();
    };
    let definitions: Vec<&str> = schema.texts("objectClasses").collect();
    let lax = [("groupOfNames", "member"), ("groupOfUniqueNames", "uniqueMember")].into_iter();
    lax.filter(|(class, member)| is_lax(&definitions, class, member))
        .map(|(class, _)| class)
        .collect()
}

/// Whether a class is defined and does not ask for the attribute.
fn is_lax(definitions: &[&str], class: &str, attribute: &str) -> bool {
    let class = format!("'{class}'");
    let named = |definition: &&&str| definition.split_whitespace().any(|word| word == class);
    let Some(definition) = definitions.iter().find(named) else { return false };
    let mandatory = definition.split(" MUST ").nth(1).unwrap_or_default().trim_start();
    let mandatory = match mandatory.strip_prefix('(') {
        Some(list) => list.split(')').next().unwrap_or_default(),
        None => mandatory.split_whitespace().next().unwrap_or_default(),
    };
    !mandatory.split(['$', ' ']).any(|name| name.eq_ignore_ascii_case(attribute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schema_asks_for() {
        let openldap = "( 2.5.6.9 NAME 'groupOfNames' DESC 'RFC2256: a group of names (DNs)' \
                        SUP top STRUCTURAL MUST ( member $ cn ) MAY ( description $ o ) )";
        let of_389 = "( 2.5.6.9 NAME 'groupOfNames' SUP top STRUCTURAL MUST cn MAY ( member $ \
                      businessCategory ) X-ORIGIN 'RFC 4519' )";
        assert!(!is_lax(&[openldap], "groupOfNames", "member"));
        assert!(is_lax(&[of_389], "groupOfNames", "member"));
        assert!(!is_lax(&[of_389], "groupOfUniqueNames", "uniqueMember"), "not defined");
    }
}
