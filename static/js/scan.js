// A code from the camera, or from a photo where there is none, into a field, whose form is then sent. Loaded on
// the first tap; so is the reader (VENDORED.md), where the browser has none of its own, as on iOS.

const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "ean_8", "upc_a", "pdf417", "aztec", "data_matrix"];
// Enough for a small code, and below what a canvas on iOS may hold; cameras deliver up to 48 megapixels.
const PHOTO_WIDTH = 1600;

let reader = null;

async function nativeReader() {
  const known = "BarcodeDetector" in window ? await window.BarcodeDetector.getSupportedFormats() : [];
  const formats = FORMATS.filter((format) => known.includes(format));
  return formats.length ? new window.BarcodeDetector({ formats }) : null;
}

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(address)));
    script.src = address;
    document.head.append(script);
  });
}

// Its own default would fetch the WebAssembly from a public host.
async function loadedReader({ ponyfill, wasm }) {
  await loadScript(ponyfill);
  const { BarcodeDetector, prepareZXingModule } = window.BarcodeDetectionAPI;
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: FORMATS });
}

async function makeReader(addresses) {
  return (await nativeReader()) ?? loadedReader(addresses);
}

// What failed is tried again by the next tap.
function readerFor(dialog) {
  reader ??= makeReader(dialog.dataset).catch((error) => {
    reader = null;
    throw error;
  });
  return reader;
}

function stop(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

async function openCamera(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1280 } },
  });
  try {
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    stop(stream);
    throw error;
  }
  return stream;
}

async function codeIn(picture, codes) {
  const found = await codes.detect(picture);
  return found.length ? found[0].rawValue : "";
}

async function codeInVideo(video, codes, isOpen) {
  while (isOpen()) {
    const code = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await codeIn(video, codes) : "";
    if (code) {
      return code;
    }
    await new Promise((resume) => { window.setTimeout(resume, 150); });
  }
  return "";
}

async function codeInPhoto(file, codes) {
  const picture = await createImageBitmap(file, { resizeWidth: PHOTO_WIDTH, resizeQuality: "high" });
  try {
    return await codeIn(picture, codes);
  } finally {
    picture.close();
  }
}

export async function scan(field) {
  const dialog = document.getElementById("scanner");
  const video = dialog.querySelector("video");
  const photo = dialog.querySelector(".photo");
  const closing = new AbortController();
  const isOpen = () => dialog.isConnected && !closing.signal.aborted;
  const show = (words, seen = null) => {
    dialog.querySelector("[role=status]").textContent = dialog.dataset[words];
    video.hidden = seen !== video;
    photo.hidden = seen !== photo;
  };
  const take = (code) => {
    if (code && isOpen()) {
      dialog.close();
      field.value = code;
      field.form.requestSubmit();
    }
  };
  dialog.addEventListener("close", () => {
    closing.abort();
    field.focus();
  }, { once: true });
  show("starting", video);
  dialog.showModal();

  const [camera, codes] = await Promise.allSettled([openCamera(video), readerFor(dialog)]);
  const stream = camera.value;
  try {
    if (!isOpen()) {
      return;
    }
    if (!codes.value) {
      show("unreadable");
    } else if (stream) {
      show("aim", video);
      take(await codeInVideo(video, codes.value, isOpen));
    } else {
      show("refused", photo);
      photo.addEventListener("change", async ({ target }) => {
        show("reading", photo);
        const code = await codeInPhoto(target.files[0], codes.value).catch(() => "");
        target.value = "";
        if (!code) {
          show("empty", photo);
        }
        take(code);
      }, { signal: closing.signal });
    }
  } catch {
    show("unreadable");
  } finally {
    // The camera's light goes out with the dialog.
    if (stream) {
      stop(stream);
      video.srcObject = video.srcObject === stream ? null : video.srcObject;
    }
  }
}
