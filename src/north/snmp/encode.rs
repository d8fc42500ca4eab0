//! The PDU of an answer, in octets (RFC 3416 §3, RFC 3417 §8).
//!
//! Bindings are written as they are found, so that GETBULK knows at each what
//! its answer takes; the PDU is put around them at the end.

use super::access::{Found, Value};
use super::response::{Bindings, Response, Shown};
use crate::wire::ber::{self, Writer};

/// Bindings as they go out, one after the other.
#[derive(Debug, Default)]
pub struct List(Writer);

impl List {
    /// Appends a binding.
    pub fn push(&mut self, name: Found<'_>, value: &Shown<'_>) {
        self.0.sequence(|writer| {
            writer.object_identifier_after(name.encoded, name.index);
            match value {
                Shown::Value(value) => write_value(writer, value),
                Shown::NoSuchObject => writer.element(0x80, &[]),
                Shown::NoSuchInstance => writer.element(0x81, &[]),
                Shown::EndOfMibView => writer.element(0x82, &[]),
            }
        });
    }

    /// How many octets the bindings take.
    pub fn size(&self) -> usize {
        self.0.octets().len()
    }

    /// Takes back the bindings beyond the first `size` octets, as [`List::size`] told them.
    pub fn cut(&mut self, size: usize) {
        self.0.truncate(size);
    }
}

/// Writes the PDU of `response`.
pub fn write_pdu(writer: &mut Writer, response: &Response<'_>) {
    writer.constructed(response.kind as u8, |writer| {
        writer.integer(response.request_id);
        writer.integer(response.failure.status as i32);
        writer.integer(response.failure.index);
        match &response.bindings {
            Bindings::Empty => writer.element(ber::SEQUENCE, &[]),
            Bindings::Echo => writer.raw(response.list),
            Bindings::List(list) => writer.element(ber::SEQUENCE, list.0.octets()),
        }
    });
}

fn write_value(writer: &mut Writer, value: &Value) {
    match value {
        Value::Integer(number) => writer.integer(*number),
        Value::Unsigned(number) => writer.unsigned(ber::UNSIGNED32, *number),
        Value::Counter32(number) => writer.unsigned(ber::COUNTER32, *number),
        Value::Counter64(number) => writer.counter64(*number),
        Value::TimeTicks(ticks) => writer.unsigned(ber::TIME_TICKS, *ticks),
        Value::Octets(octets) => writer.octet_string(octets),
        Value::Oid(arcs) => writer.object_identifier(arcs),
        Value::IpAddress(octets) => writer.ip_address(*octets),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn written(name: &[u32], value: &Shown<'_>) -> Vec<u8> {
        let mut list = List::default();
        list.push(name.into(), value);
        list.0.finish()
    }

    fn value(value: Value) -> Vec<u8> {
        written(&[1, 3, 5], &Shown::Value(Cow::Owned(value)))[6..].to_vec()
    }

    #[test]
    fn a_binding_is_a_name_and_a_value() {
        assert_eq!(
            written(&[1, 3, 6, 1], &Shown::EndOfMibView),
            [0x30, 7, 6, 3, 0x2b, 6, 1, 0x82, 0]
        );
        assert_eq!(written(&[1, 3], &Shown::NoSuchObject)[5..], [0x80, 0]);
        assert_eq!(written(&[1, 3], &Shown::NoSuchInstance)[5..], [0x81, 0]);
    }

    #[test]
    fn every_type_has_its_tag() {
        assert_eq!(value(Value::Integer(-129)), [2, 2, 0xff, 0x7f]);
        assert_eq!(value(Value::Unsigned(128)), [0x42, 2, 0, 128]);
        assert_eq!(value(Value::Counter32(1)), [0x41, 1, 1]);
        assert_eq!(value(Value::TimeTicks(0x0100)), [0x43, 2, 1, 0]);
        assert_eq!(value(Value::Counter64(7)), [0x46, 1, 7]);
        assert_eq!(value(Value::from("ab")), [4, 2, b'a', b'b']);
        assert_eq!(value(Value::Oid([1, 3, 6].into())), [6, 2, 0x2b, 6]);
        assert_eq!(
            value(Value::IpAddress([10, 0, 0, 1])),
            [0x40, 4, 10, 0, 0, 1]
        );
    }

    #[test]
    fn a_name_whose_object_is_encoded_is_the_same_name() {
        let whole = written(&[1, 3, 6, 1, 300, 7], &Shown::NoSuchObject);
        let mut list = List::default();
        let name = Found {
            object: &[1, 3, 6, 1],
            encoded: &[0x2b, 6, 1],
            index: &[300, 7],
        };
        list.push(name, &Shown::NoSuchObject);
        assert_eq!(list.0.octets(), whole);
        assert_eq!(name.oid()[..], [1, 3, 6, 1, 300, 7]);
    }

    #[test]
    fn a_list_is_cut_where_a_binding_began() {
        let mut list = List::default();
        list.push([1, 3][..].into(), &Shown::NoSuchObject);
        let size = list.size();
        list.push([1, 4][..].into(), &Shown::NoSuchObject);
        list.cut(size);
        assert_eq!(list.0.octets(), written(&[1, 3], &Shown::NoSuchObject));
    }

    #[test]
    fn the_name_of_each_object_is_encoded_as_the_writer_would() {
        for (_, column) in crate::schema::columns() {
            let mut writer = Writer::default();
            writer.object_identifier(column.oid);
            assert_eq!(&writer.octets()[2..], column.encoded, "{}", column.name);
        }
    }
}
