fn main() -> std::process::ExitCode {
    conversations::remove_member::main()
}
