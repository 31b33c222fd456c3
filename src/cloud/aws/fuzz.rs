//! Targets: what people and AWS write that is read by hand here: metadata, documents, marks, and
//! whether a reply is whole.

use aws_sdk_iam::types::Tag;

use super::config::{ORGANISATION_TAG, SUBJECT_TAG};
use super::document::{AssumeDocument, normal};
use super::grammar::{check_document, check_policy};
use super::identity::{Marked, group_ownership, group_path, ownership};
use super::{metadata, whole};
use crate::fuzzing::{Target, text};
use crate::model::{AttributeValue, OrganisationName, Ownership};

#[test]
fn saml_metadata() {
    let words = &[
        "<EntityDescriptor ",
        "<IDPSSODescriptor>",
        "<KeyDescriptor use=\"signing\">",
        "validUntil=\"",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "&lt;",
        "&#x0;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<a>",
        "</a>",
        "xmlns=\"",
        "9999-12-31T23:59:59Z",
        "<ds:X509Certificate>",
        "<?xml version=\"1.1\"?>",
    ];
    Target::new("saml_metadata").words(words).longest(16 << 10).memory(1 << 20, 512).run(|input| {
        match metadata::parse(&text(input)) {
            Err(why) => why.chars().filter(|letter| !letter.is_numeric()).take(40).collect(),
            Ok(found) => {
                // A beginning of it is never a description.
                let text = text(input);
                let text = text.trim();
                for cut in (0..text.len()).step_by(1 + text.len() / 16) {
                    let part = text.get(..cut).unwrap_or_default();
                    assert!(metadata::parse(part).is_err(), "cut at {cut}");
                }
                format!("good {}", found.valid_until.is_some())
            }
        }
    });
}

const DOCUMENT: &[&str] = &[
    "{\"Version\":\"2012-10-17\",\"Statement\":",
    "\"Effect\":\"Allow\"",
    "\"Effect\":\"Deny\"",
    "\"Action\":\"sts:AssumeRole\"",
    "\"Resource\":",
    "\"NotResource\":\"*\"",
    "\"NotAction\":",
    "\"Principal\":",
    "\"Condition\":{}",
    "\"Sid\":\"x\"",
    "%7B",
    "%22",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"arn:aws:iam::111111111111:role/reconcile/spi/operator\"",
    "[[[[[[[[",
    "null",
];

#[test]
fn aws_documents() {
    Target::new("aws_documents").words(DOCUMENT).longest(16 << 10).memory(256 << 10, 512).run(
        |input| {
            let text = text(input);
            let once = normal(&text);
            assert_eq!(normal(&once), once, "one form");
            let read = AssumeDocument::parse(&text);
            // What is ours can be written and is read as the same.
            let rendered = AssumeDocument::render(&read.roles);
            let again = AssumeDocument::parse(&rendered);
            assert_eq!(again.roles, read.roles);
            assert_eq!(again.other, None, "{rendered}");
            // A document of which anything is not ours is never taken for one of ours.
            if read.other.is_none() {
                assert!(once.matches("Allow").count() >= usize::from(!read.roles.is_empty()));
                assert!(!once.contains("Deny") || !read.roles.is_empty() || read.is_empty());
            }
            (read.roles.len().min(3), read.other.is_some(), once.len().min(2))
        },
    );
}

#[test]
fn aws_grammar() {
    Target::new("aws_grammar").words(DOCUMENT).longest(16 << 10).memory(256 << 10, 512).run(
        |input| {
            let value = AttributeValue::Text(text(input));
            let policy = check_policy(&value).is_ok();
            if let Err(why) = check_document(&value) {
                let why = why.chars().filter(|letter| !letter.is_numeric()).take(48).collect();
                return (policy, why);
            }
            // Written in the normal form it says the same, so it is good as well.
            let normal = normal(&text(input));
            assert_eq!(check_document(&AttributeValue::Text(normal.clone())), Ok(()), "{normal}");
            assert!(["Effect", "Statement"].iter().all(|word| normal.contains(word)));
            (policy, "good".to_owned())
        },
    );
}

#[test]
fn aws_replies() {
    let words = &[
        "<ListUsersResponse>",
        "</ListUsersResponse>",
        "<ListUsersResult>",
        "<Users>",
        "<IsTruncated>",
        "<Users/>",
        "<?xml version=\"1.0\"?>",
        "<GetGroupResponse>",
        "<!--",
        "-->",
        "<DeleteUserResponse/>",
        " ",
    ];
    Target::new("aws_replies").words(words).memory(16 << 10, 16).run(|input| {
        let Err(why) = whole::check(input) else {
            let text = std::str::from_utf8(input).expect("what is no text is not whole").trim_end();
            assert!(text.ends_with('>'), "a reply ends with its root");
            for cut in (0..text.len()).step_by(1 + text.len() / 64) {
                let inner = text.as_bytes()[..cut].trim_ascii_end();
                // Cut, unless the root element is there twice.
                let twice = text.matches("</").count() > 1 && inner.ends_with(b">");
                assert!(whole::check(inner).is_err() || twice, "cut at {cut}");
            }
            return "whole".to_owned();
        };
        why.to_string()
    });
}

#[test]
fn aws_marks() {
    let organisation: OrganisationName = "spi".into();
    let words = &[
        "person:debian:2345",
        "/reconcile/spi/",
        "\n",
        "=3A",
        "=+A",
        "=5b",
        "held:r:",
        "group:debian:a",
        "spi",
    ];
    Target::new("aws_marks").words(words).memory(64 << 10, 64).run(|input| {
        // Three lines: path, organisation's tag, subject's tag.
        let text = text(input);
        let mut lines = text.splitn(3, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (path, found, subject) = (line(), line(), line());
        let tag = |key: &str, value: &str| {
            Tag::builder().key(key).value(value).build().expect("both are there")
        };
        let tags = [tag(ORGANISATION_TAG, found), tag(SUBJECT_TAG, subject)];
        let whose =
            [Marked::User, Marked::Tagged].map(|kind| ownership(kind, path, &tags, &organisation));
        let group = group_ownership(path, &organisation);
        // Ours is only what this program could have written: one mark, one spelling.
        for whose in &whose {
            if let Ownership::Ours(stands_for) = whose {
                let mark = crate::model::Mark {
                    organisation: organisation.clone(),
                    subject: stands_for.clone(),
                };
                let written = super::identity::tags(&mark).expect("tags can be made");
                assert_eq!((written[0].value(), written[1].value()), (found, subject));
            }
        }
        if let Ownership::Ours(stands_for) = &group {
            assert_eq!(group_path(&organisation, stands_for), path);
        }
        [&whose[0], &whose[1], &group].map(std::mem::discriminant)
    });
}
