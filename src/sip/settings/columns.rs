//! How a struct of settings says which columns it is, and an enum which labels.
//!
//! A field beside the columns comes from elsewhere than the tree. The one
//! truth about a default is the MIB: `Default` reads a row that nobody has
//! touched.

/// Says which columns the fields of a struct of settings are.
macro_rules! columns {
    (
        $name:ident: $($table:ident)::+ {
            $( $field:ident = $column:ident, )+
            $( .. { $( $other:ident = $value:expr, )+ } )?
        }
    ) => {
        impl $crate::tree::View for $name {
            const TABLE: $crate::schema::TableId = $($table)::+::TABLE;
            const COLUMNS: &'static [$crate::schema::ColumnId] = {
                use $($table)::+ as table;
                &[$( table::$column.id(), )+]
            };

            fn read(row: $crate::tree::RowView<'_>) -> Self {
                use $($table)::+ as table;
                Self {
                    $( $field: row.get(table::$column), )+
                    $( $( $other: $value, )+ )?
                }
            }
        }

        impl Default for $name {
            /// As the MIB has it.
            fn default() -> Self {
                $crate::tree::initial()
            }
        }
    };
}

/// Says which labels of the MIB the variants of an enum are; they have the same names.
macro_rules! labels {
    ( $mib:ty => $name:ident { $($label:ident),+ } ) => {
        impl $crate::schema::FromCell<$mib> for $name {
            fn from_cell(cell: Option<&$crate::schema::Value>) -> Self {
                type Mib = $mib;
                match <Mib as $crate::schema::FromCell<Mib>>::from_cell(cell) {
                    $( Mib::$label => Self::$label, )+
                }
            }
        }
    };
}
