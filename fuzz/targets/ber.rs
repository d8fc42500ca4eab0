//! BER: any octets, element by element and downwards.
#![no_main]

use demarc::wire::ber::{self, OBJECT_IDENTIFIER, Reader, Tlv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| walk(octets, 0));

fn walk(octets: &[u8], depth: usize) {
    let mut reader = Reader::new(octets);
    let mut read = 0;
    while let Ok(element) = reader.any() {
        let whole = &octets[read..read + element.whole.len()];
        assert_eq!(element.whole, whole, "elements follow each other");
        assert!(whole.ends_with(element.content));
        read += whole.len();
        inspect(element);
        if element.tag & 0x20 != 0 && depth < DEPTH {
            walk(element.content, depth + 1);
        }
    }
    assert!(read <= octets.len());
    if read == octets.len() {
        assert_eq!(reader.finish(), Ok(()));
    }
}

fn inspect(element: Tlv<'_>) {
    let mut arcs = Vec::new();
    match ber::arcs(element.content, &mut arcs) {
        // X.690 §8.19.2 allows one encoding only, so it has to be this one.
        Ok(()) => assert_eq!(object_identifier(&arcs), element.content),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(number) = Reader::new(element.whole).integer() {
        let sign = if number < 0 { 0xff } else { 0 };
        let mut wide = vec![sign; 4 - element.content.len()];
        wide.extend_from_slice(element.content);
        assert_eq!(wide, number.to_be_bytes());
    }
    if let Err(error) = ber::shape(element.content, &[OBJECT_IDENTIFIER, element.tag]) {
        assert!(!error.to_string().is_empty());
    }
}

fn object_identifier(arcs: &[u32]) -> Vec<u8> {
    let first = u64::from(arcs[0]) * 40 + u64::from(arcs[1]);
    let mut content = Vec::new();
    for arc in std::iter::once(first).chain(arcs[2..].iter().map(|&arc| u64::from(arc))) {
        let groups = (arc.max(1).ilog2() / 7) as usize;
        content.extend((1..=groups).rev().map(|at| (arc >> (7 * at)) as u8 | 0x80));
        content.push(arc as u8 & 0x7f);
    }
    content
}

const DEPTH: usize = 16;
