"""How the small recogniser of the printed visit ID (``nhirx_scanner/textline.onnx``) is trained. See README.md."""
