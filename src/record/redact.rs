//! Keeping secrets out of the recorded command line.

const BLANK: &str = "(not shown)";

/// Arguments as they are recorded.
///
/// No option of this program takes a secret. People mistype, wrap and paste all the same, so the
/// value of any option whose name sounds like one is blanked, and so is the password in a URL.
/// Options that name a file or a command in which a secret is found are left alone.
pub fn redact_arguments(arguments: &[String]) -> Vec<String> {
    let mut value_follows = false;
    arguments
        .iter()
        .map(|argument| {
            if std::mem::take(&mut value_follows) && !argument.starts_with("--") {
                return BLANK.to_owned();
            }
            match argument.split_once('=') {
                Some((name, _)) if sounds_secret(name) => format!("{name}={BLANK}"),
                None if argument.starts_with('-') && sounds_secret(argument) => {
                    value_follows = true;
                    argument.clone()
                }
                _ => without_url_password(argument),
            }
        })
        .collect()
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "apikey",
        "api-key",
        "access-key",
        "access_key",
    ];
    words.iter().any(|word| name.contains(word))
        && !["-file", "_file", "-command", "_command"].iter().any(|end| name.ends_with(end))
}

/// `scheme://user:password@host` with the password blanked.
fn without_url_password(argument: &str) -> String {
    let blanked = || {
        let (scheme, rest) = argument.split_once("://")?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let (user_info, _) = authority.rsplit_once('@')?;
        let (user, _) = user_info.split_once(':')?;
        Some(format!("{scheme}://{user}:{BLANK}{}", &rest[user_info.len()..]))
    };
    blanked().unwrap_or_else(|| argument.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(line: &str) -> String {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        redact_arguments(&arguments).join(" ")
    }

    #[test]
    fn what_sounds_like_a_secret_is_blanked() {
        for (written, recorded) in [
            ("reconcile --token=abc", "reconcile --token=(not shown)"),
            (
                "reconcile --bind-password abc --org spi",
                "reconcile --bind-password (not shown) --org spi",
            ),
            ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=(not shown)"),
            ("--url ldaps://cn=x:pw@[::1]/base", "--url ldaps://cn=x:(not shown)@[::1]/base"),
        ] {
            assert_eq!(redacted(written), recorded);
        }
    }

    #[test]
    fn everything_else_is_recorded_exactly() {
        for line in [
            "reconcile --org spi --only user --metrics /var/lib/x.prom",
            "reconcile --password-file secrets/ldap --secret-command pass",
            "reconcile --password --org spi",
            "ldap://host:389/ou=a@b",
        ] {
            assert_eq!(redacted(line), line);
        }
    }
}
