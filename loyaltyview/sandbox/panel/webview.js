// The WebView: one iframe for each launch, and the messages about addresses that its page opens.

import { byId, el } from "./dom.js";

let frame = null;
let launch = null;

/** Show the launch, or close the open one when there is none. */
export function showWebView(webview) {
  if (launch?.number === webview?.number) return;
  launch = webview;
  frame = null;
  if (launch) {
    frame = el("iframe", { id: "webview", title: "Loyalty Rewards", allow: "camera; clipboard-write", src: launch.src });
  }
  byId("window").replaceChildren(...(frame ? [frame] : []));
}

/** Call `follow(address)` when the page in the open WebView opens the app's scheme. */
export function onNavigation(follow) {
  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== launch.origin) return;
    if (event.data?.type === "associate-app:navigate") follow(String(event.data.url));
  });
}
