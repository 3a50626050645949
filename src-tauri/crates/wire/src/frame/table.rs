//! How a direction's table of frames becomes its enum and what reads and writes it.

/// Declares one direction of the protocol: each frame once, with its payload, its kind's number and the longest payload
/// that it may have. A number that is used twice is a pattern that is never reached.
macro_rules! frames {
    ($(#[$about:meta])* $direction:ident {
        $(
            $(#[$doc:meta])*
            $frame:ident $(($payload:ident: $type:ty))? = $number:literal up to $cap:expr,
        )*
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $direction { $($(#[$doc])* $frame $(($type))?,)* }

        impl Frame for $direction {}

        impl sealed::Frame for $direction {
            const KINDS: &'static [Kind] = &[$(frames!(@kind $frame $number $cap),)*];

            fn kind(&self) -> &'static Kind {
                match self {
                    $(Self::$frame { .. } => const { &frames!(@kind $frame $number $cap) },)*
                }
            }

            fn write_payload(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$frame $(($payload))? => { $(Payload::write($payload, out);)? })*
                }
            }

            fn read_payload(kind: u8, payload: &[u8]) -> Result<Self, FrameError> {
                match kind {
                    $($number => Ok(Self::$frame $((read::<$type>(stringify!($frame), payload)?))?),)*
                    unknown => Err(FrameError::UnknownKind(unknown)),
                }
            }

            #[cfg(test)]
            fn examples() -> Vec<Self> {
                let frames: Vec<Vec<Self>> = vec![$(frames!(@examples $frame $($type)?),)*];
                frames.into_iter().flatten().collect()
            }
        }
    };
    (@kind $frame:ident $number:literal $cap:expr) => {
        Kind { number: $number, name: stringify!($frame), cap: $cap }
    };
    (@examples $frame:ident) => {
        vec![Self::$frame]
    };
    (@examples $frame:ident $type:ty) => {
        <$type as Payload>::examples().into_iter().map(Self::$frame).collect()
    };
}
