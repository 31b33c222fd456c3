//! Names nobody defined, names of a wrong shape, names defined twice.

use insta::assert_snapshot;

use super::shown;

#[test]
fn names_nobody_defined() {
    assert_snapshot!(shown(&[
        (
            "inventory/x.yaml",
            "\
projects:
  arch: {directory: peple}
organisations:
  o:
    accounts:
      a: {vendor: memroy, id: 000000000003, project: debain}
      b: {vendor: memory, id: 12345, partition: cn}
      c: {vendor: other, partition: iland, id: 000000000004}
grants:
  - {group: admins, role: raeder, accounts: [miror], reason: r}
  - {group: poeple:admins, role: reader, accounts: [{project: debain}], reason: r}
  - {group: admins, role: reader, accounts: [{project: arch}, 'x*'], reason: r}
service_accounts:
  bot: {project: debiann, owners: nobody:x, role: reader, accounts: [hub], reason: r}
"
        ),
        (
            "policies/x.yaml",
            "\
roles:
  broken:
    description: d
    means: {memroy: {}, memory: {permisions: [a], session_hours: long}}
limits:
  per_organisation: {sqi: {}}
protected:
  - {user: rescue, account: hbu, reason: r}
rights:
  - {path: inventory, define: [grant, projects, organisations, directories, service_accounts], roles: [amdin], accounts: [hub, hbu], projects: [debian, debain]}
"
        ),
    ]));
}

#[test]
fn names_of_a_wrong_shape_or_defined_twice() {
    assert_snapshot!(shown(&[
        (
            "inventory/x.yaml",
            "\
projects:
  Debian: {}
  '': {}
  -x: {}
  ../x: {}
  debian: {}
organisations:
  spi: {}
  other:
    accounts:
      hub: {vendor: memory, id: 000000000003}
directories:
  two: {ldif: /etc/passwd, schema: userdir, base: dc=x}
  three: {ldif: a/../../b, schema: userdir, base: dc=x}
  four: {schema: userdir, base: dc=x}
  five: {ldif: x, retired: true, schema: userdir, base: dc=x}
  six: {ldif: x, schema: usrdir, base: dc=x}
  seven: {retired: true}
grants:
  - {group: admins, role: reader, accounts: [hub], reason: r}
  - {group: 'two:', role: reader, accounts: [hub], reason: r}
  - {group: 'two:a b', role: reader, accounts: [hub, hub], reason: r}
  - {group: 'two:a@host', role: reader, accounts: [], reason: r}
"
        ),
        ("policies/x.yaml", "roles:\n  admin: {description: d, means: {}}\n"),
    ]));
}

#[test]
fn directories_on_servers() {
    assert_snapshot!(shown(&[(
        "inventory/x.yaml",
        "\
directories:
  a: {schema: rfc2307, base: dc=x, ldap: {url: ldap.example.org}}
  b: {schema: rfc2307, base: dc=x, ldap: {url: 'ldap://ldap.example.org', start_tls: false}}
  c: {schema: rfc2307, base: dc=x, ldap: {url: 'ldap://[::1]:389', start_tls: false}}
  d: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://u:p@x', page_size: 0}}
  e: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', bind: {dn: cn=x}}}
  f: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', bind: {dn: cn=x, password: hunter2}}}
  g: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', bind: {dn: cn=x, password_file: s, password_environment: S}}}
  h: {schema: rfc2307, base: dc=x, ldap: {url: 'http://x', attempts: -1}}
  i: {schema: rfc2307, base: dc=x, ldap: {url: 'ldap://127.0.0.1.evil.example', start_tls: false}}
  j: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', ca_file: .secrets/ca.pem, bind: {dn: cn=x, password_command: [sh, -c, x]}}}
  k: {schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', trust: ca, bind: {dn: cn=x, secret: s}}}
"
    )]));
}
