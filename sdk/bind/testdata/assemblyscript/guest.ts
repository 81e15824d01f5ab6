// The guest of the tests: what it is given goes through the host and back.
import * as it from "./everything";

class Guest extends it.Guest {
  turnBack(v: it.ShapesValue): it.ShapesValue { return it.hostTurn(v); }

  wide(a: it.ShapesDeep, b: it.ShapesDeep, c: u64): it.OptionU32 | null {
    return it.hostWide(a, b, c);
  }

  plain(
    a: i8, b: u16, c: i64, d: f32, e: f64, f: u32, g: bool, h: it.ShapesColour, i: u32,
  ): i8 { return it.hostPlain(a, b, c, d, e, f, g, h, i); }

  nothing(): void { it.hostNothing(); }

  swap(p: it.ShapesPair): it.ResultShapesPairVoid { return it.hostSwap(p); }

  taken(
    result: string, args: Uint8Array, room: u8, l0: it.OptionU8 | null, flat: u8, over: u8,
    memcpy: u8, out: u8, a0: u8,
  ): string | null {
    return it.hostTaken(result, args, room, l0, flat, over, memcpy, out, a0);
  }

  colours(p: Array<it.ShapesColour>): Array<string> {
    const names = ["red", "green", "dark-blue"];
    const out: string[] = [];
    for (let i = 0; i < p.length; i++) out.push(names[p[i]]);
    return out;
  }
}

it.serveGuest(new Guest());
