//! Properties of the module itself: its size, and what it may ask of the host.

use std::collections::BTreeSet;
use std::fs;

use crate::envoy::{module, root};

#[test]
fn the_module_is_small() {
    let size = fs::metadata(module()).unwrap().len();
    let limit: u64 = fs::read_to_string(root().join("envoy/size.txt")).unwrap().trim().parse().unwrap();
    assert!(limit <= 700 * 1024, "the budget is 700 KiB");
    assert!(size <= limit, "the module has {size} octets; envoy/size.txt allows {limit}");
}

#[test]
fn the_module_imports_what_is_listed_and_nothing_else() {
    let listed = fs::read_to_string(root().join("envoy/imports.txt")).unwrap();
    let listed: BTreeSet<String> = listed.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(imports(&fs::read(module()).unwrap()), listed);
}

#[test]
fn the_trap_does_not_ship() {
    let octets = fs::read(module()).unwrap();
    assert!(!octets.windows(10).any(|part| part == b"x-tpc-trap"));
}

/// Reads the import section of a WebAssembly module (WebAssembly Core 2.0, §5.5.5).
fn imports(octets: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut at = 8;
    while at < octets.len() {
        let section = octets[at];
        at += 1;
        let length = leb128(octets, &mut at);
        let end = at + length;
        if section == 2 {
            for _ in 0..leb128(octets, &mut at) {
                let module = name(octets, &mut at);
                let field = name(octets, &mut at);
                assert_eq!(octets[at], 0, "only functions are imported");
                at += 1;
                leb128(octets, &mut at);
                found.insert(format!("{module} {field}"));
            }
        }
        at = end;
    }
    found
}

fn name(octets: &[u8], at: &mut usize) -> String {
    let length = leb128(octets, at);
    let text = String::from_utf8(octets[*at..*at + length].to_vec()).unwrap();
    *at += length;
    text
}

fn leb128(octets: &[u8], at: &mut usize) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let octet = octets[*at];
        *at += 1;
        value |= usize::from(octet & 0x7F) << shift;
        shift += 7;
        if octet & 0x80 == 0 {
            return value;
        }
    }
}
