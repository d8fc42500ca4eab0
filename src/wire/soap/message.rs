//! What an ACS and a CPE say to each other (TR-069 Annex A.3 and A.4).
//!
//! One type for each RPC, named as the standard names it. Values are the text
//! of the XML element with its `xsi:type` beside it; what they mean is the
//! data model's business.

use std::fmt;

/// The namespace that a message's RPCs live in. CWMP 1.2, 1.3 and 1.4 share
/// one: their schemas have the same target namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `urn:dslforum-org:cwmp-1-0`
    Cwmp10,
    /// `urn:dslforum-org:cwmp-1-1`
    Cwmp11,
    /// `urn:dslforum-org:cwmp-1-2`
    Cwmp12,
}

/// The SOAP header blocks of CWMP (TR-069 §3.5, table 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Comes back as it was in the answer, Fault included.
    pub id: Option<String>,
    /// From an ACS: the CPE sends no requests while it stands.
    pub hold_requests: bool,
    /// From a CPE in Inform (1.3): seconds it waits for the ACS.
    pub session_timeout: Option<u32>,
    /// From a CPE in Inform (1.4): for example `1.0,1.1,1.2,1.3,1.4`.
    pub supported_versions: Option<String>,
    /// From an ACS in InformResponse (1.4).
    pub use_version: Option<String>,
}

/// A message with what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<B> {
    /// Answers go back in the namespace of the question.
    pub namespace: Namespace,
    /// The header blocks.
    pub header: Header,
    /// The message.
    pub body: B,
}

/// What may come from an ACS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromAcs {
    /// It wants something.
    Request(AcsRequest),
    /// It answers what the CPE asked.
    Response(AcsResponse),
    /// It refuses what the CPE asked.
    Fault(Fault),
}

/// What may come from a CPE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromCpe {
    /// It wants something.
    Request(CpeRequest),
    /// It answers what the ACS asked.
    Response(CpeResponse),
    /// It refuses what the ACS asked.
    Fault(Fault),
    /// It does not know this header, which had to be understood (SOAP 1.1 §4.2.3).
    NotUnderstood(String),
}

/// RPCs that an ACS calls (Annex A.3 and A.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcsRequest {
    /// Which RPCs are here?
    GetRpcMethods,
    /// All of them or none (A.3.2.1).
    SetParameterValues {
        /// In the order of the message.
        values: Vec<ParameterValue>,
        /// Kept when the whole succeeded.
        parameter_key: String,
    },
    /// Parameters or partial paths; "" is everything (A.3.2.2).
    GetParameterValues(Vec<String>),
    /// What exists below a path (A.3.2.3).
    GetParameterNames {
        /// A parameter, or a partial path that ends with a dot, or "".
        path: String,
        /// Only what stands directly below.
        next_level: bool,
    },
    /// Notification and access lists (A.3.2.4).
    SetParameterAttributes(Vec<AttributeChange>),
    /// Notification and access lists (A.3.2.5).
    GetParameterAttributes(Vec<String>),
    /// A new row with its defaults (A.3.2.6).
    AddObject {
        /// Ends with a dot, without an instance.
        path: String,
        /// Kept on success.
        parameter_key: String,
    },
    /// Away with a row (A.3.2.7).
    DeleteObject {
        /// Ends with the instance and a dot.
        path: String,
        /// Kept on success.
        parameter_key: String,
    },
    /// Once the session has ended (A.3.2.9).
    Reboot {
        /// Comes back in `M Reboot`.
        command_key: String,
    },
    /// Fetch a file (A.3.2.8).
    Download {
        /// Which, and from where.
        file: Download,
        /// Not before.
        delay_seconds: u32,
    },
    /// Send a file (A.4.1.5).
    Upload(Upload),
    /// Back to the profile, once the session has ended (A.4.1.6).
    FactoryReset,
    /// An Inform after a delay (A.4.1.2).
    ScheduleInform {
        /// At least 1.
        delay_seconds: u32,
        /// Comes back in `M ScheduleInform`.
        command_key: String,
    },
    /// Fetch a file in one of one or two windows of time (A.4.1.8).
    ScheduleDownload {
        /// Which, and from where.
        file: Download,
        /// One or two, one after the other.
        windows: Vec<TimeWindow>,
    },
    /// Forget a transfer that has not begun (A.4.1.9).
    CancelTransfer {
        /// Of the transfers that are meant.
        command_key: String,
    },
    /// What waits and runs (A.4.1.7).
    GetAllQueuedTransfers,
    /// What of Download and Upload waits and runs (A.4.1.1).
    GetQueuedTransfers,
    /// A method that is not here: fault 9000.
    Unknown(String),
}

/// Answers of an ACS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcsResponse {
    /// The session stands.
    Inform {
        /// Always 1; a larger number changes nothing.
        max_envelopes: u32,
    },
    /// The event is delivered.
    TransferComplete,
    /// The event is delivered.
    AutonomousTransferComplete,
    /// What the ACS can.
    GetRpcMethods(Vec<String>),
    /// A Download may follow.
    RequestDownload,
}

/// RPCs that a CPE calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CpeRequest {
    /// Opens each session (A.3.3.1).
    Inform(Inform),
    /// How a transfer ended (A.3.3.2).
    TransferComplete(TransferComplete),
    /// How a transfer ended that no ACS asked for (A.3.3.3).
    AutonomousTransferComplete(AutonomousTransferComplete),
    /// Which RPCs has the ACS?
    GetRpcMethods,
    /// Would the ACS send this file? (A.4.2.2)
    RequestDownload {
        /// As in Download.
        file_type: String,
        /// Name and value of each argument.
        arguments: Vec<(String, String)>,
    },
}

/// Answers of a CPE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CpeResponse {
    /// The names of the RPCs.
    GetRpcMethods(Vec<String>),
    /// Applied, or kept to be applied.
    SetParameterValues(Applied),
    /// In the order asked, each path's in the order of the tree.
    GetParameterValues(Vec<ParameterValue>),
    /// What exists.
    GetParameterNames(Vec<ParameterInfo>),
    /// Done.
    SetParameterAttributes,
    /// As they are.
    GetParameterAttributes(Vec<ParameterAttributes>),
    /// The new row.
    AddObject {
        /// At least 1, never used before.
        instance: u32,
        /// Applied, or kept to be applied.
        status: Applied,
    },
    /// Gone.
    DeleteObject(Applied),
    /// Will be done.
    Reboot,
    /// Will be done, or is done.
    Download(TransferStarted),
    /// Will be done, or is done.
    Upload(TransferStarted),
    /// Will be done.
    FactoryReset,
    /// Will be done.
    ScheduleInform,
    /// Will be done.
    ScheduleDownload,
    /// Forgotten.
    CancelTransfer,
    /// What waits and runs.
    GetAllQueuedTransfers(Vec<QueuedTransfer>),
    /// What waits and runs, by its key and its state alone.
    GetQueuedTransfers(Vec<QueuedTransfer>),
}

/// Whether a change is in use already (Status 0) or only kept (Status 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// 0
    Now,
    /// 1
    Later,
}

/// The types of values (Annex A.2.1, table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `xsd:string`
    String,
    /// `xsd:int`
    Int,
    /// `xsd:long`
    Long,
    /// `xsd:unsignedInt`
    UnsignedInt,
    /// `xsd:unsignedLong`
    UnsignedLong,
    /// `xsd:boolean`
    Boolean,
    /// `xsd:dateTime`
    DateTime,
    /// `xsd:base64Binary`
    Base64,
    /// `xsd:hexBinary`
    Hex,
}

/// A parameter with its value, which may be a password: Debug leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct ParameterValue {
    /// The full path, at most 256 octets.
    pub name: String,
    /// The text of the value; white space is kept.
    pub value: String,
    /// None: the message named no type, or one that does not exist.
    pub kind: Option<Kind>,
}

impl fmt::Debug for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParameterValue")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What GetParameterNames says of a parameter or object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Objects end with a dot.
    pub name: String,
    /// A table: AddObject works. A row: DeleteObject. A parameter: its value.
    pub writable: bool,
}

/// A wish about a parameter's or subtree's attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// A parameter or a partial path.
    pub name: String,
    /// None: leave it as it is. 0 to 6 (A.3.2.4).
    pub notification: Option<u8>,
    /// None: leave it as it is.
    pub access_list: Option<Vec<String>>,
}

/// A parameter's attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterAttributes {
    /// The full path.
    pub name: String,
    /// 0 to 6.
    pub notification: u8,
    /// `Subscriber`, or nothing.
    pub access_list: Vec<String>,
}

/// The first message of a session (A.3.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inform {
    /// Who speaks.
    pub device: DeviceIdStruct,
    /// Why, at most 64.
    pub events: Vec<Event>,
    /// UTC; None: the time is not known.
    pub current_time: Option<String>,
    /// Attempts of this session before this one.
    pub retry_count: u32,
    /// The forced ones and those that changed.
    pub parameters: Vec<ParameterValue>,
}

/// Who a CPE is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceIdStruct {
    /// At most 64 octets.
    pub manufacturer: String,
    /// Six hexadecimal digits, upper case.
    pub oui: String,
    /// At most 64 octets.
    pub product_class: String,
    /// At most 64 octets.
    pub serial_number: String,
}

/// An event as it stands in Inform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// For example `0 BOOTSTRAP` or `M Download`.
    pub code: String,
    /// Only with `M` events, else "".
    pub command_key: String,
}

/// A file to be fetched (A.3.2.8, A.4.1.8).
#[derive(Clone, PartialEq, Eq)]
pub struct Download {
    /// Comes back in TransferComplete.
    pub command_key: String,
    /// For example `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Where from.
    pub url: String,
    /// For the file server.
    pub username: String,
    /// For the file server; a secret.
    pub password: String,
    /// Octets; 0: not told.
    pub file_size: u32,
    /// What to call it here.
    pub target_file_name: String,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("command_key", &self.command_key)
            .field("file_type", &self.file_type)
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

/// Send a file (A.4.1.5).
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Comes back in TransferComplete.
    pub command_key: String,
    /// For example `1 Vendor Configuration File`.
    pub file_type: String,
    /// Where to.
    pub url: String,
    /// For the file server.
    pub username: String,
    /// For the file server; a secret.
    pub password: String,
    /// Not before.
    pub delay_seconds: u32,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("command_key", &self.command_key)
            .field("file_type", &self.file_type)
            .finish_non_exhaustive()
    }
}

/// When a scheduled download may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Seconds from the message.
    pub start: u32,
    /// Seconds from the message.
    pub end: u32,
    /// For example `1 At Any Time`.
    pub mode: String,
    /// For `4 Confirmation Needed`.
    pub user_message: String,
    /// -1: as often as it likes.
    pub max_retries: i32,
}

/// Whether a transfer ended before the response left (Status 0) or not (1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferStarted {
    /// Now: it is over. Later: TransferComplete will tell.
    pub status: Applied,
    /// UTC; None: unknown.
    pub start_time: Option<String>,
    /// UTC; None: unknown.
    pub complete_time: Option<String>,
}

/// How a transfer ended (A.3.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferComplete {
    /// Of the request.
    pub command_key: String,
    /// Code 0: it succeeded.
    pub fault: FaultStruct,
    /// UTC; None: unknown.
    pub start_time: Option<String>,
    /// UTC; None: unknown.
    pub complete_time: Option<String>,
}

/// How a transfer ended that no ACS asked for (A.3.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutonomousTransferComplete {
    /// Who announced it; may be "".
    pub announce_url: String,
    /// Where from or to.
    pub transfer_url: String,
    /// From here, or to here.
    pub is_download: bool,
    /// As in Download.
    pub file_type: String,
    /// Octets; 0: not known.
    pub file_size: u32,
    /// What it is called here.
    pub target_file_name: String,
    /// Code 0: it succeeded.
    pub fault: FaultStruct,
    /// UTC; None: unknown.
    pub start_time: Option<String>,
    /// UTC; None: unknown.
    pub complete_time: Option<String>,
}

/// A transfer that waits or runs (A.4.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTransfer {
    /// Of the request.
    pub command_key: String,
    /// 1: not begun. 2: running. 3: over, not yet told.
    pub state: u8,
    /// From here, or to here.
    pub is_download: bool,
    /// As in Download.
    pub file_type: String,
    /// Octets; 0: not known.
    pub file_size: u32,
    /// What it is called here.
    pub target_file_name: String,
}

/// A refusal with what was wrong in it (A.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault it is.
    pub party: Party,
    /// The code and its sentence.
    pub fault: FaultStruct,
    /// Of SetParameterValues: every parameter that was refused.
    pub parameters: Vec<ParameterFault>,
}

/// The SOAP faultcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// `Client`: the asker is wrong.
    Client,
    /// `Server`: the asked cannot.
    Server,
}

/// A fault code and its sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultStruct {
    /// 9000 to 9899 of a CPE, 8000 to 8899 of an ACS; 0: none.
    pub code: u16,
    /// Whose wording it is does not matter.
    pub text: String,
}

/// A parameter that SetParameterValues could not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFault {
    /// As the request named it.
    pub name: String,
    /// 9001 to 9008.
    pub fault: FaultStruct,
}
