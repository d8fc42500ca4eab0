//! The PDU of an answer, in octets (RFC 3416 §3, RFC 3417 §8).
//!
//! Written backwards, from the last binding to the PDU's tag, so that no length
//! has to be known before its content. [`binding_size`] foretells what a
//! binding will take, for GETBULK to stop in time.

use async_snmp::ber::EncodeBuf;

use super::access::Value;
use super::response::{Bindings, Response, Shown, VarBind};
use crate::wire::ber;

/// The outcome of writing; it fails only for contents of two gigabytes.
pub type Written = async_snmp::Result<()>;

/// Writes the PDU of `response`.
pub fn push_pdu(buf: &mut EncodeBuf, response: &Response<'_>) -> Written {
    buf.push_constructed(response.kind as u8, |buf| {
        match &response.bindings {
            Bindings::Empty => buf.push_sequence(|_| Ok(()))?,
            Bindings::Echo => buf.push_bytes(response.list),
            Bindings::List(list) => {
                buf.push_sequence(|buf| list.iter().rev().try_for_each(|one| push_one(buf, one)))?;
            }
        }
        buf.push_integer(response.failure.index);
        buf.push_integer(response.failure.status as i32);
        buf.push_integer(response.request_id);
        Ok(())
    })
}

fn push_one(buf: &mut EncodeBuf, binding: &VarBind) -> Written {
    buf.push_sequence(|buf| {
        match &binding.value {
            Shown::Value(value) => push_value(buf, value)?,
            Shown::NoSuchObject => push_exception(buf, 0x80)?,
            Shown::NoSuchInstance => push_exception(buf, 0x81)?,
            Shown::EndOfMibView => push_exception(buf, 0x82)?,
        }
        push_oid(buf, &binding.name)
    })
}

fn push_exception(buf: &mut EncodeBuf, tag: u8) -> Written {
    buf.push_length(0)?;
    buf.push_tag(tag);
    Ok(())
}

fn push_value(buf: &mut EncodeBuf, value: &Value) -> Written {
    match value {
        Value::Integer(n) => buf.push_integer(*n),
        Value::Unsigned(n) => buf.push_unsigned32(ber::UNSIGNED32, *n),
        Value::Counter32(n) => buf.push_unsigned32(ber::COUNTER32, *n),
        Value::Counter64(n) => buf.push_integer64(*n),
        Value::TimeTicks(n) => buf.push_unsigned32(ber::TIME_TICKS, *n),
        Value::Octets(octets) => buf.push_octet_string(octets)?,
        Value::Oid(arcs) => push_oid(buf, arcs)?,
        Value::IpAddress(octets) => buf.push_ip_address(*octets),
    }
    Ok(())
}

fn push_oid(buf: &mut EncodeBuf, arcs: &[u32]) -> Written {
    let start = buf.len();
    let (first, rest) = first_arcs(arcs);
    for &arc in rest.iter().rev() {
        push_arc(buf, u64::from(arc));
    }
    push_arc(buf, first);
    buf.push_length(buf.len() - start)?;
    buf.push_tag(ber::OBJECT_IDENTIFIER);
    Ok(())
}

fn push_arc(buf: &mut EncodeBuf, arc: u64) {
    let septet = |bits: u64| (bits & 0x7f) as u8;
    buf.push_byte(septet(arc));
    let mut rest = arc >> 7;
    while rest > 0 {
        buf.push_byte(septet(rest) | 0x80);
        rest >>= 7;
    }
}

/// How many octets a binding takes on the wire.
pub fn binding_size(binding: &VarBind) -> usize {
    let name = element(oid_content(&binding.name));
    let value = match &binding.value {
        Shown::Value(value) => element(value_content(value)),
        Shown::NoSuchObject | Shown::NoSuchInstance | Shown::EndOfMibView => element(0),
    };
    element(name + value)
}

fn element(content: usize) -> usize {
    let length = match content {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 4,
    };
    1 + length + content
}

fn value_content(value: &Value) -> usize {
    // An unsigned number whose top bit is set gets a leading zero.
    let unsigned = |n: u64| (64 - n.leading_zeros() as usize) / 8 + 1;
    match value {
        Value::Integer(n) => {
            let magnitude = if *n < 0 { !*n } else { *n };
            (32 - magnitude.leading_zeros() as usize) / 8 + 1
        }
        Value::Unsigned(n) | Value::Counter32(n) | Value::TimeTicks(n) => unsigned(u64::from(*n)),
        Value::Counter64(n) => unsigned(*n),
        Value::Octets(octets) => octets.len(),
        Value::Oid(arcs) => oid_content(arcs),
        Value::IpAddress(_) => 4,
    }
}

fn oid_content(arcs: &[u32]) -> usize {
    let size = |arc: u64| match arc {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        0x1000_0000..0x8_0000_0000 => 5,
        0x8_0000_0000.. => 6,
    };
    let (first, rest) = first_arcs(arcs);
    size(first) + rest.iter().copied().map(u64::from).map(size).sum::<usize>()
}

/// X.690 §8.19.4: the first two arcs share one sub-identifier.
fn first_arcs(arcs: &[u32]) -> (u64, &[u32]) {
    match arcs {
        [top, second, rest @ ..] => (u64::from(*top) * 40 + u64::from(*second), rest),
        [top] => (u64::from(*top) * 40, &[]),
        [] => (0, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &[u32], value: Shown) -> Vec<u8> {
        let binding = VarBind {
            name: name.into(),
            value,
        };
        let mut buf = EncodeBuf::new();
        push_one(&mut buf, &binding).expect("short");
        let octets = buf.finish_vec();
        assert_eq!(octets.len(), binding_size(&binding), "{binding:?}");
        octets
    }

    fn value(value: Value) -> Vec<u8> {
        written(&[1, 3, 5], Shown::Value(value))[6..].to_vec()
    }

    #[test]
    fn a_binding_is_a_name_and_a_value() {
        assert_eq!(
            written(&[1, 3, 6, 1], Shown::EndOfMibView),
            [0x30, 7, 6, 3, 0x2b, 6, 1, 0x82, 0]
        );
        assert_eq!(written(&[1, 3], Shown::NoSuchObject)[5..], [0x80, 0]);
        assert_eq!(written(&[1, 3], Shown::NoSuchInstance)[5..], [0x81, 0]);
    }

    #[test]
    fn numbers_take_the_fewest_octets() {
        assert_eq!(value(Value::Integer(0)), [2, 1, 0]);
        assert_eq!(value(Value::Integer(127)), [2, 1, 127]);
        assert_eq!(value(Value::Integer(128)), [2, 2, 0, 128]);
        assert_eq!(value(Value::Integer(-128)), [2, 1, 128]);
        assert_eq!(value(Value::Integer(-129)), [2, 2, 0xff, 0x7f]);
        assert_eq!(value(Value::Integer(i32::MIN)), [2, 4, 0x80, 0, 0, 0]);
        assert_eq!(value(Value::Unsigned(0)), [0x42, 1, 0]);
        assert_eq!(
            value(Value::Counter32(u32::MAX)),
            [0x41, 5, 0, 0xff, 0xff, 0xff, 0xff]
        );
        assert_eq!(value(Value::TimeTicks(0x0100)), [0x43, 2, 1, 0]);
        assert_eq!(value(Value::Counter64(1 << 63))[..4], [0x46, 9, 0, 0x80]);
        for bit in 0..64 {
            value(Value::Counter64((1 << bit) - 1));
            value(Value::Counter64(1 << bit));
            value(Value::Unsigned(1u32.rotate_left(bit)));
            value(Value::Integer(1i32.rotate_left(bit)));
            value(Value::Integer(1i32.rotate_left(bit).wrapping_neg()));
        }
    }

    #[test]
    fn object_identifiers_take_the_fewest_octets() {
        let oid = |arcs: &[u32]| value(Value::Oid(arcs.into()));
        assert_eq!(oid(&[1, 3, 127, 128]), [6, 4, 0x2b, 0x7f, 0x81, 0]);
        assert_eq!(
            oid(&[2, 999, u32::MAX]),
            [6, 7, 0x88, 0x37, 0x8f, 0xff, 0xff, 0xff, 0x7f]
        );
        // zeroDotZero, however it is put.
        assert_eq!(oid(&[2, u32::MAX]), [6, 5, 0x90, 0x80, 0x80, 0x80, 0x4f]);
        assert_eq!(oid(&[0, 0]), [6, 1, 0]);
        assert_eq!(oid(&[0]), [6, 1, 0]);
        assert_eq!(oid(&[]), [6, 1, 0]);
        for bit in 0..32 {
            oid(&[1, 3, (1 << bit) - 1, 1 << bit]);
        }
    }

    #[test]
    fn long_strings_have_long_lengths() {
        for length in [0, 1, 127, 128, 255, 256, 65_000, 65_535, 70_000] {
            let octets = value_of_length(length);
            assert_eq!(octets.len(), binding_size_of_length(length));
        }
    }

    fn value_of_length(length: usize) -> Vec<u8> {
        let octets = Value::Octets(vec![7; length].into());
        written(&[1, 3], Shown::Value(octets))
    }

    fn binding_size_of_length(length: usize) -> usize {
        element(3 + element(length))
    }
}
