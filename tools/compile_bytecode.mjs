// Compile the modules of a folder with CPython compiled to WebAssembly. Usage: node compile_bytecode.mjs DIRECTORY PREFIX
import { loadPyodide } from "pyodide";

const [directory, prefix] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree("/layer");
python.mountNodeFS("/layer", directory);
python.globals.set("prefix", prefix);
const compiled = python.runPython(`
import compileall, py_compile
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir("/layer", quiet=1, stripdir="/layer", prependdir=prefix, invalidation_mode=mode)
`);
process.exit(compiled ? 0 : 1);
