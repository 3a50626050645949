//! An item in the tray, and nothing else.

use std::process::ExitCode;

use ksni::{Icon, TrayMethods as _};

struct Item;

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "bare-item".to_owned()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        const SIZE: i32 = 22;
        vec![Icon {
            width: SIZE,
            height: SIZE,
            data: vec![255; (4 * SIZE * SIZE) as usize],
        }]
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Its handle keeps it there.
    let Ok(_item) = Item.assume_sni_available(true).spawn().await else {
        return ExitCode::FAILURE;
    };
    std::future::pending().await
}
