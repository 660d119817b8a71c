// A code from the camera into a field, whose form is then sent. Loaded on the first tap.

const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "ean_8", "upc_a", "pdf417", "aztec", "data_matrix"];

async function detector() {
  const known = await window.BarcodeDetector.getSupportedFormats();
  return new window.BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) });
}

async function firstCode(reader, video, isOpen) {
  while (isOpen()) {
    const codes = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await reader.detect(video) : [];
    if (codes.length) {
      return codes[0].rawValue;
    }
    await new Promise((resume) => { window.setTimeout(resume, 150); });
  }
  return "";
}

export async function scan(field) {
  const dialog = document.getElementById("scanner");
  const video = dialog.querySelector("video");
  const words = dialog.querySelector("[role=status]");
  let stream = null;
  dialog.addEventListener("close", () => field.focus(), { once: true });
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    const code = await firstCode(await detector(), video, () => dialog.open);
    if (code) {
      dialog.close();
      field.value = code;
      field.form.requestSubmit();
    }
  } catch {
    words.textContent = dialog.dataset.refused;
  } finally {
    // The camera's light goes out with the dialog.
    stream?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}
