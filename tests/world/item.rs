//! A tray item, as its host sees it: over the bus.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use zbus::blocking::connection::Builder;
use zbus::blocking::proxy::SignalIterator;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::wait;

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);

/// The host's side of the bus.
pub struct Host(Connection);

/// An item of the tray.
pub struct Item {
    bus: Connection,
    name: String,
}

/// A line of a menu.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, until the menu changes.
    pub id: i32,
    /// What it says.
    pub label: String,
    /// Whether it is the chosen one of several.
    pub marked: bool,
}

impl Host {
    /// On this bus.
    pub fn at(address: &str) -> Result<Self> {
        Ok(Self(Builder::address(address)?.build()?))
    }

    /// The only item that is registered, as soon as there is one.
    pub fn item(&self) -> Result<Item> {
        self.first(|_| true)
    }

    /// That of a process, as soon as there is one: a person's own desktop has others too.
    pub fn item_of(&self, pid: u32) -> Result<Item> {
        self.first(|name| self.pid(name).is_ok_and(|its| its == pid))
    }

    fn first(&self, is_it: impl Fn(&str) -> bool) -> Result<Item> {
        wait::up_to(LATEST).until("an item in the tray", || {
            let registered = self.registered().unwrap_or_default();
            let mut names = registered.iter().filter_map(|name| name.split('/').next());
            let item = names.find(|name| is_it(name)).map(|name| Item {
                bus: self.0.clone(),
                name: name.to_owned(),
            });
            Ok(item.ok_or_else(|| format!("{registered:?}")))
        })
    }

    fn pid(&self, name: &str) -> Result<u32> {
        const BUS: &str = "org.freedesktop.DBus";
        let bus = Proxy::new(&self.0, BUS, "/org/freedesktop/DBus", BUS)?;
        Ok(bus.call("GetConnectionUnixProcessID", &name)?)
    }

    /// The names of all items.
    pub fn registered(&self) -> Result<Vec<String>> {
        let watcher = zbus::blocking::proxy::Builder::<Proxy<'_>>::new(&self.0)
            .destination(WATCHER)?
            .path("/StatusNotifierWatcher")?
            .interface(WATCHER)?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()?;
        Ok(watcher.get_property("RegisteredStatusNotifierItems")?)
    }

    /// What the host says when an item comes.
    pub fn registrations(&self) -> Result<SignalIterator<'static>> {
        let watcher = Proxy::new(&self.0, WATCHER, "/StatusNotifierWatcher", WATCHER)?;
        Ok(watcher.receive_signal("StatusNotifierItemRegistered")?)
    }
}

impl Item {
    /// `Active`, or `NeedsAttention`.
    pub fn status(&self) -> Result<String> {
        Ok(self.properties()?.get_property("Status")?)
    }

    /// The tooltip's text.
    pub fn tooltip(&self) -> Result<String> {
        let tip: OwnedValue = self.properties()?.get_property("ToolTip")?;
        let tip = Structure::try_from(tip)?;
        match tip.fields().get(3) {
            Some(Value::Str(text)) => Ok(text.to_string()),
            _ => bail!("a tooltip of another form: {tip:?}"),
        }
    }

    /// How bright the ink of its picture is, 0 to 255.
    pub fn ink(&self) -> Result<u8> {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.properties()?.get_property("IconPixmap")?;
        let (_, _, pixels) = pictures.first().context("no picture")?;
        let inked = pixels.chunks(4).find(|pixel| pixel[0] == 255);
        Ok(inked.context("no ink")?[1])
    }

    /// Its picture of this size on a ground of this grey, as somebody sees it who sees no colour.
    pub fn greys(&self, size: i32, ground: u8) -> Result<Vec<u8>> {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.properties()?.get_property("IconPixmap")?;
        let picture = pictures.into_iter().find(|(width, ..)| *width == size);
        let (.., pixels) = picture.context("no picture of that size")?;
        let on = |pixel: &[u8]| {
            let (alpha, grey) = (u16::from(pixel[0]), u16::from(pixel[1]));
            let seen = (grey * alpha + u16::from(ground) * (255 - alpha)) / 255;
            u8::try_from(seen).unwrap_or(u8::MAX)
        };
        Ok(pixels.chunks(4).map(on).collect())
    }

    /// Every line of the menu, with those of the menus below it.
    pub fn menu(&self) -> Result<Vec<Entry>> {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let layout: Layout = self
            .dbusmenu()?
            .call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()))?;
        let mut entries = Vec::new();
        for child in &layout.1.2 {
            collect(child, &mut entries)?;
        }
        Ok(entries)
    }

    /// Gives leave that a window comes to the front, as a host does before a click.
    pub fn activation(&self, token: &str) -> Result<()> {
        Ok(self
            .properties()?
            .call("ProvideXdgActivationToken", &token)?)
    }

    /// Clicks the item itself.
    pub fn activate(&self) -> Result<()> {
        Ok(self.properties()?.call("Activate", &(0_i32, 0_i32))?)
    }

    /// Clicks the line that says this.
    pub fn click(&self, label: &str) -> Result<()> {
        let menu = self.menu()?;
        let entry = menu
            .iter()
            .find(|entry| entry.label == label)
            .with_context(|| format!("no {label:?} in {menu:?}"))?;
        let none = Value::from("");
        let event = (entry.id, "clicked", &none, 0_u32);
        self.dbusmenu()?.call::<_, _, ()>("Event", &event)?;
        Ok(())
    }

    /// Waits until what is seen is so.
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        wait::up_to(LATEST)
            .until(what, || Ok(is_so(self).unwrap_or(false)))
            .with_context(|| format!("{:?}, {:?}", self.tooltip(), self.menu()))
    }

    fn properties(&self) -> Result<Proxy<'_>> {
        let proxy = zbus::blocking::proxy::Builder::new(&self.bus)
            .destination(self.name.as_str())?
            .path("/StatusNotifierItem")?
            .interface("org.kde.StatusNotifierItem")?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()?;
        Ok(proxy)
    }

    fn dbusmenu(&self) -> Result<Proxy<'_>> {
        let menu: zbus::zvariant::OwnedObjectPath = self.properties()?.get_property("Menu")?;
        Ok(Proxy::new(
            &self.bus,
            self.name.clone(),
            menu.into_inner(),
            "com.canonical.dbusmenu",
        )?)
    }
}

fn collect(node: &Value<'_>, entries: &mut Vec<Entry>) -> Result<()> {
    let node = if let Value::Value(inner) = node {
        inner
    } else {
        node
    };
    let (id, properties, children): (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>) =
        node.try_clone()?.try_into()?;
    let text = |name: &str| {
        properties
            .get(name)
            .and_then(|value| String::try_from(value.clone()).ok())
            .unwrap_or_default()
    };
    let marked = properties
        .get("toggle-state")
        .and_then(|value| i32::try_from(value).ok())
        == Some(1);
    entries.push(Entry {
        id,
        label: text("label").replace("__", "_"),
        marked,
    });
    for child in &children {
        collect(child, entries)?;
    }
    Ok(())
}
